import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { COMPOSABLES } from '../src/composables.ts'
import * as composables from '../src/runtime/app/composables'
import * as documents from '../src/runtime/app/documents'

/** Entries of `@tutti/vue` that an application imports itself. */
const NOT_IN_PAGES = ['@tutti/vue/pinia', '@tutti/vue/package.json', '@tutti/vue/internal']

const isComposable = (name: string): boolean => name.startsWith('use')

async function exportedComposables(): Promise<Record<string, Set<string>>> {
  const { exports } = JSON.parse(await readFile(new URL('../../vue/package.json', import.meta.url), 'utf8')) as { exports: object }
  const entries = Object.keys(exports).map((path) => `@tutti/vue${path.slice(1)}`)
  const found = entries
    .filter((entry) => !NOT_IN_PAGES.includes(entry))
    .map(async (entry): Promise<[string, Set<string>]> => {
      const names = Object.keys((await import(entry)) as object)
      return [entry, new Set(names.filter(isComposable))]
    })
  return Object.fromEntries(await Promise.all(found))
}

test('[README] every composable of @tutti/vue is listed in COMPOSABLES', async () => {
  const listed = Object.entries(COMPOSABLES).map(([entry, names]) => [entry, new Set(names)])
  expect(Object.fromEntries(listed)).toEqual(await exportedComposables())
})

test('[README] the files of auto-imports export every composable', () => {
  expect(new Set(Object.keys({ ...composables, ...documents }).filter(isComposable))).toEqual(new Set(Object.values(COMPOSABLES).flat()))
})

test('[README] the README lists every composable', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  expect(
    Object.values<readonly string[]>(COMPOSABLES)
      .flat()
      .filter((name) => !readme.includes(`\`${name}\``)),
  ).toEqual([])
})
