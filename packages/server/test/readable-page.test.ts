import type { Entry, EntryPage } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { readablePage } from '../src/state/readable-page.ts'

/** A store of the keys 0000 to 2999 in pages of 700, of which every third may be read. */
const keys = Array.from({ length: 3_000 }, (_, index) => String(index).padStart(4, '0'))
const isReadable = (key: string): boolean => Number(key) % 3 === 0
const readable = keys.filter(isReadable)
const entry = (key: string): Entry => ({ key, version: 1, value: key })

const list = async (after = ''): Promise<EntryPage> => {
  const rest = keys.filter((key) => key > after)
  const entries = rest.slice(0, 700).map(entry)
  return rest.length > 700 ? { entries, after: entries.at(-1)?.key } : { entries }
}

test('[X2] [S17] a page of readable entries is the page of a store that has no others', async () => {
  const source = { list, mayRead: async (key: string) => isReadable(key), maxBytes: 1e9 }
  expect(await readablePage(source, undefined)).toEqual({ entries: readable.map(entry) })
  // One more than a page holds: the page ends with a readable key, and only because another one follows.
  const most = { ...source, mayRead: async (key: string) => key <= '1000' }
  expect(await readablePage(most, undefined)).toEqual({ entries: keys.slice(0, 1_000).map(entry), after: '0999' })
  expect(await readablePage(most, '0999')).toEqual({ entries: [entry('1000')] })
  expect(await readablePage({ ...source, mayRead: async (key) => key <= '0999' }, undefined)).not.toHaveProperty('after')
  expect(await readablePage({ ...source, mayRead: async () => false }, undefined)).toEqual({ entries: [] })
})

test('[X5] a page of readable entries has limited bytes, and at least one entry', async () => {
  const bytes = JSON.stringify(entry('0000')).length
  const source = { list, mayRead: async (key: string) => isReadable(key), maxBytes: 2 * bytes }
  expect(await readablePage(source, undefined)).toEqual({ entries: ['0000', '0003'].map(entry), after: '0003' })
  expect(await readablePage({ ...source, maxBytes: 1 }, '0003')).toEqual({ entries: [entry('0006')], after: '0006' })
})

test('[X2] a key about which `authorize` could not say is no end of a page', async () => {
  const mayRead = async (key: string) => (key === '0000' ? true : undefined)
  const bytes = JSON.stringify(entry('0000')).length
  expect(await readablePage({ list, mayRead, maxBytes: 2 * bytes }, undefined)).toEqual({
    entries: ['0000', '0001'].map(entry),
    after: '0000',
  })
  await expect(readablePage({ list, mayRead, maxBytes: bytes }, '0000')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})
