import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reactiveDriver } from '@tutti/storage-driver'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fileOf, flatFilesDriver, keyOf } from '../src/runtime/server/flat-files-driver'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tutti-files-'))
})
afterEach(() => rm(folder, { recursive: true }))

const KEYS = ['todos', 'todos:1', 'a:b:c', 'a', 'A', 'ä€🙂', 'a b', '%41', '~', 'a~:b', 'x'.repeat(256), '€'.repeat(85)]
const NAMES = [...KEYS, '..', '../up', 'a/b', 'a$state']

test('[S1] keys of every kind are kept in files, each beside its prefix', async () => {
  const store = reactiveDriver(flatFilesDriver(folder))
  for (const key of KEYS) await store.write({ op: 'set', key, value: { key } })
  const again = reactiveDriver(flatFilesDriver(folder))
  const entries = await again.read(KEYS)
  expect(entries.map((entry) => 'value' in entry && entry.value)).toEqual(KEYS.map((key) => ({ key })))
  expect((await again.list('todos:')).entries.map(({ key }) => key)).toEqual(['todos:1'])
})

test('[S1] an entry that was removed is gone after a restart', async () => {
  const store = reactiveDriver(flatFilesDriver(folder))
  await store.write({ op: 'set', key: 'todos:1', value: 1 })
  await store.write({ op: 'remove', key: 'todos:1' })
  expect(await reactiveDriver(flatFilesDriver(folder)).read(['todos:1'])).toEqual([expect.not.objectContaining({ value: 1 })])
})

test('[S19] no key leads out of the folder, and none shares a file with another', async () => {
  const files = NAMES.map(fileOf)
  expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(NAMES.length)
  expect(files.map(keyOf)).toEqual(NAMES)
  expect(files.flatMap((file) => file.split(':')).filter((part) => /[^a-z0-9_%~-]/.test(part) || part.length > 255)).toEqual([])
  await flatFilesDriver(folder).setItem?.('../../up', '1', {})
  expect(await readdir(folder)).toEqual([fileOf('../../up')])
})
