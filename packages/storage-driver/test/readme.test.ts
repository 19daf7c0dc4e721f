import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startRedis } from '@tutti/test-kit'
import { expect, test } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))

test('[E9] the examples of the README run unchanged, without a server', async () => {
  const readme = await readFile(join(here, '..', 'README.md'), 'utf8')
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? '')
  expect(examples).toHaveLength(2)
  const redis = await startRedis()
  // Inside this package, so that its imports resolve.
  const folder = await mkdtemp(join(here, 'readme-'))
  try {
    const outputs: string[] = []
    for (const [place, code] of examples.entries()) {
      const file = join(folder, `example-${place}.ts`)
      await writeFile(file, code)
      const env = { ...process.env, REDIS_URL: redis.url }
      const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@tutti/source', file], { cwd: folder, env })
      outputs.push(stdout)
    }
    expect(outputs[0]?.split('\n')).toEqual(expect.arrayContaining(['greeting hello', 'visits 1', "1 { title: 'Two', author: 'me' }"]))
    expect(outputs[1]).toBe('')
  } finally {
    await rm(folder, { recursive: true })
    await redis.stop()
  }
})
