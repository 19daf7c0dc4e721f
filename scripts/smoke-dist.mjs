// Imports every entry of every published package as users get it, from the packed files, on the oldest Node found here
// that the packages support: `node scripts/smoke-dist.mjs <folder with packed packages>`.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { publishedPackages } from './published-packages.mjs'

const OLDEST = 20

const node = oldestNode()
const home = mkdtempSync(join(tmpdir(), 'tutti-smoke-'))
const scope = join(home, 'node_modules/@tutti')
let entries = 0
for (const { folder, manifest } of publishedPackages) {
  const target = join(scope, manifest.name.split('/')[1])
  mkdirSync(target, { recursive: true })
  const tarball = readdirSync(process.argv[2]).find(
    (file) => file === `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`,
  )
  execFileSync('tar', ['-xzf', join(process.argv[2], tarball), '-C', target, '--strip-components=1'])
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) link(join(folder, 'node_modules', name), name)
}
for (const { manifest } of publishedPackages) {
  for (const entry of Object.keys(manifest.exports).filter((name) => name !== './package.json')) {
    // Suites for third parties define tests with vitest, which refuses to be imported outside of a run.
    if (entry === './testing') continue
    const name = manifest.name + entry.slice(1)
    const { status, stderr } = spawnSync(node.path, ['--input-type=module', '-e', `await import('${name}')`], {
      cwd: home,
      encoding: 'utf8',
      timeout: 30_000,
    })
    entries += 1
    if (status === 0) continue
    console.error(`${name} cannot be imported, or something stays open after it:\n${stderr}`)
    process.exitCode = 1
  }
}
rmSync(home, { recursive: true })
const note = node.major === OLDEST ? '' : `; Node ${OLDEST} is not here, so that was not tried`
console.log(`${entries} entries imported on Node ${node.version}${note}`)

/** Every package resolves its dependencies from the one `node_modules` above it, like after a flat install. */
function link(from, name) {
  const to = join(home, 'node_modules', name)
  if (name.startsWith('@tutti/') || existsSync(to) || !existsSync(from)) return
  mkdirSync(dirname(to), { recursive: true })
  symlinkSync(from, to)
}

function oldestNode() {
  const folders = [...process.env.PATH.split(':'), '/usr/local/bin', '/usr/bin']
  const paths = new Set(folders.map((folder) => join(folder, 'node')).filter((path) => existsSync(path)))
  const found = [...paths].map((path) => {
    const version = execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()
    return { path, version, major: Number(version.split('.')[0]) }
  })
  return found.filter(({ major }) => major >= OLDEST).sort((a, b) => a.major - b.major)[0]
}
