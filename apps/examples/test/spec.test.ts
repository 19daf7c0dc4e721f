import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** The IDs of the rules on a page: `- S4 …` in spec.md and roadmap.md. */
const rulesOf = (page: string): string[] => [...read(page).matchAll(/^- ([A-Z]\d+) /gm)].map(([, id = '']) => id)

/** Files that other tests write and remove while this one runs. */
const MADE_BY_TESTS = ['apps/examples/test/{app-,readme-example-}*']

/** The IDs that names of tests and suites begin with, each with a file that has it. Contract suites are part of `src/testing`. */
const tested = new Map<string, string>()
for (const path of globSync('{packages,apps}/*/{test,src/testing}/**/*.ts', { cwd: root, exclude: MADE_BY_TESTS })) {
  for (const [, id = ''] of read(path).matchAll(/['"`]\[([A-Z]\d+)\] /g)) tested.set(id, path)
}

test('[docs] every rule of spec.md has a test whose name begins with its ID', () => {
  expect(rulesOf('docs/spec.md').filter((id) => !tested.has(id))).toEqual([])
})

test('[docs] every ID in the name of a test is a rule of spec.md', () => {
  const rules = new Set(rulesOf('docs/spec.md'))
  expect([...tested].filter(([id]) => !rules.has(id))).toEqual([])
})

test('[docs] no ID is used twice in spec.md and roadmap.md', () => {
  const all = [...rulesOf('docs/spec.md'), ...rulesOf('docs/roadmap.md')]
  expect(all).toHaveLength(new Set(all).size)
  expect(all.length).toBeGreaterThan(80)
})
