// Packs every published package, as `changeset publish` would, into the folder given: `node scripts/pack.mjs <folder>`.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { publishedPackages } from './published-packages.mjs'

const { packageManager } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'))
const hasPnpm = spawnSync('pnpm', ['--version']).status === 0
const [command, ...before] = hasPnpm ? ['pnpm'] : ['npx', '-y', packageManager]

// Each package is packed from its own folder.
const destination = resolve(process.argv[2])
for (const { folder, manifest } of publishedPackages) {
  const { status, stdout, stderr } = spawnSync(command, [...before, 'pack', '--pack-destination', destination], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status === 0) continue
  console.error(`${manifest.name} cannot be packed:\n${stdout}${stderr}`)
  process.exitCode = 1
}
