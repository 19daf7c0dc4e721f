import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const pages = ['*.md', '{docs,packages/*,apps/*}/*.md'].flatMap((pattern) => globSync(pattern, { cwd: root }))
const withoutCode = (page: string): string => readFileSync(join(root, page), 'utf8').replaceAll(/^```.*?^```/gms, '')

/** The anchor that GitHub gives to a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
const anchorsOf = (page: string): string[] => [...withoutCode(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))

test('[docs] links between the pages lead to a file and a heading', () => {
  const broken = pages.flatMap((page) =>
    [...withoutCode(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].flatMap(([, path = '', anchor]) => {
      const target = path === '' ? page : join(dirname(page), path)
      if (!existsSync(join(root, target))) return [`${page}: ${target}`]
      return anchor === undefined || anchorsOf(target).includes(anchor) ? [] : [`${page}: ${target}#${anchor}`]
    }),
  )
  expect(broken).toEqual([])
})

test('[docs] the files and folders that the architecture names exist', () => {
  const files = globSync('{packages,apps,scripts,docs}/**/*.{ts,mjs,vue,md}', {
    cwd: root,
    exclude: (name) => /^(node_modules|dist)$/.test(String(name)),
  })
  // Each path with every part of it that can stand alone: a/b/c.ts, b/c.ts, c.ts, and the same of its folders.
  const ends = new Set<string>()
  for (const file of files) {
    const parts = file.split('/')
    for (let to = 1; to <= parts.length; to += 1) for (let from = 0; from < to; from += 1) ends.add(parts.slice(from, to).join('/'))
  }
  const unknown = ['docs/architecture.md', 'docs/backends.md'].flatMap((page) =>
    [...withoutCode(page).matchAll(/`((?:[\w-]+\/)*[\w.-]+\.(?:ts|mjs)|[\w-]+\/(?:src|test)(?:\/[\w-]+)*)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !ends.has(name)),
  )
  expect(unknown).toEqual([])
})
