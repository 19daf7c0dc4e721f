// `pnpm run test:nuxt [filter]`: packs the packages, installs examples/nuxt from them into a folder outside of the workspace, as a
// user would, and runs packages/nuxt/test-app against that application. The first run downloads 400 MB. With
// TUTTI_NUXT_FOLDER=<folder> the folder is kept, and later runs install the packages of this repository only.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = join(import.meta.dirname, '..')
const kept = process.env['TUTTI_NUXT_FOLDER']
const folder = kept === undefined ? mkdtempSync(join(tmpdir(), 'tutti-nuxt-')) : resolve(kept)
const [packed, app] = [join(folder, 'packed'), join(folder, 'app')]

/** Dependencies of the tests beside those of the example. */
const FOR_TESTS = {
  '@oven/bun-linux-x64': '1.4.5',
  'better-auth': '1.7.25',
  'nuxt-auth-utils': '0.5.30',
  typescript: '6.0.3',
  'vue-tsc': '3.3.14',
}

try {
  rmSync(packed, { recursive: true, force: true })
  mkdirSync(packed, { recursive: true })
  run('node', ['scripts/pack.mjs', packed], root)
  cpSync(join(root, 'examples/nuxt'), app, { recursive: true, filter: (path) => !/node_modules|\.nuxt|\.output|\.data/.test(path) })
  const manifest = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'))
  const local = Object.fromEntries(
    readdirSync(packed).map((file) => [file.replace(/^tutti-(.+)-\d+\.\d+\.\d+\.tgz$/, '@tutti/$1'), `file:${join(packed, file)}`]),
  )
  manifest.dependencies = { ...manifest.dependencies, ...FOR_TESTS, ...local }
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest, undefined, 2))
  // Without this npm keeps the packages of an earlier run, which have the same version.
  for (const path of ['package-lock.json', 'node_modules/.package-lock.json', 'node_modules/@tutti']) {
    rmSync(join(app, path), { recursive: true, force: true })
  }
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], app)
  const config = join(root, 'packages/nuxt/test-app/vitest.config.ts')
  run('vitest', ['run', '--config', config, ...process.argv.slice(2)], root, { TUTTI_NUXT_APP: app })
} finally {
  if (kept === undefined) rmSync(folder, { recursive: true, force: true })
}

/** Runs a command to its end; throws if it fails. */
function run(command, args, cwd, env = {}) {
  const started = performance.now()
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit', env: { ...process.env, NUXT_TELEMETRY_DISABLED: '1', ...env } })
  console.log(`${command} ${args[0]}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`)
}
