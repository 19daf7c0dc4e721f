import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@tutti/test-kit'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { definitionModule, findDefinitions, watchDefinitions, type LayerFolders } from '../src/definition-files.ts'

let root: string
let layers: LayerFolders[]
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tutti-definition-'))
  layers = ['app', 'base'].map((name) => ({
    root: join(root, name),
    server: join(root, name, 'server'),
    shared: join(root, name, 'shared'),
  }))
  for (const layer of layers) await mkdir(layer.root)
  return () => rm(root, { recursive: true })
})

async function create(...path: string[]): Promise<string> {
  const file = join(root, ...path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, 'export default {}')
  return file
}

test('[README] the definition is that of the first layer that has one', async () => {
  expect(findDefinitions(layers)).toEqual({ definition: undefined, schema: undefined })
  const schema = await create('base', 'shared', 'realtime.js')
  await create('base', 'server', 'realtime.ts')
  const definition = await create('app', 'server', 'realtime.ts')
  expect(findDefinitions(layers)).toEqual({ definition, schema })
})

test('[README] the module of the definition exports what there is', async () => {
  expect(definitionModule({ definition: '/app/server/realtime.ts', schema: undefined })).toBe(
    'export { default as definition } from "/app/server/realtime.ts"\nexport const schema = undefined\n',
  )
})

test('[README] files that are created and deleted are noticed, with their folders', async () => {
  const seen: unknown[] = []
  onTestFinished(watchDefinitions(layers, (files) => seen.push(files)))
  const none = { definition: undefined, schema: undefined }
  const definition = await create('app', 'server', 'realtime.ts')
  await eventually(() => expect(seen).toEqual([{ ...none, definition }]))
  await rm(join(root, 'app', 'server'), { recursive: true })
  await eventually(() => expect(seen.at(-1)).toEqual(none))
  await create('app', 'server', 'realtime.ts')
  await eventually(() => expect(seen.at(-1)).toEqual({ ...none, definition }))
  const schema = await create('base', 'shared', 'realtime.ts')
  await eventually(() => expect(seen.at(-1)).toEqual({ definition, schema }))
  await rm(definition)
  await eventually(() => expect(seen.at(-1)).toEqual({ ...none, schema }))
  expect(seen).toHaveLength(5)
})
