import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fillFolder } from '../src/index.ts'

test('a folder is made once for each name, also at once, and each copy can be changed', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tutti-folders-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  let made = 0
  const make = async (folder: string): Promise<void> => {
    made += 1
    mkdirSync(folder)
    writeFileSync(join(folder, 'data'), 'as it was made')
  }
  const cache = join(root, 'cache')
  const places = ['first', 'second', 'third'].map((place) => join(root, place))
  await Promise.all(places.map((place) => fillFolder(place, 'data', make, cache)))
  expect(made).toBe(1)
  for (const place of places) {
    expect(readFileSync(join(place, 'data'), 'utf8')).toBe('as it was made')
    writeFileSync(join(place, 'data'), 'changed')
  }
  await fillFolder(join(root, 'later'), 'data', make, cache)
  expect(readFileSync(join(root, 'later/data'), 'utf8')).toBe('as it was made')
  expect(made).toBe(1)
  await fillFolder(join(root, 'other'), 'data of another version', make, cache)
  expect(made).toBe(2)
})
