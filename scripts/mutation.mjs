// Mutation tests of one package, or of some of its files: `pnpm run test:mutation protocol [names.ts redis/script.ts …]`.
// Prints each change of the code that no test noticed; the whole report is reports/mutation.html.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const [name, ...files] = process.argv.slice(2)
const source = `packages/${name}/src`
if (name === undefined || !existsSync(join(root, source))) {
  console.error('Which package? For example: pnpm run test:mutation protocol names.ts')
  process.exit(1)
}
const everything = [`${source}/**/*.ts`, `!${source}/testing/**`, '!**/index.ts']
const mutate = files.length === 0 ? everything : files.map((file) => `${source}/${file}`)
const { status } = spawnSync(join(root, 'node_modules/.bin/stryker'), ['run', '--mutate', mutate.join(',')], {
  cwd: root,
  stdio: 'inherit',
})
process.exitCode = status ?? 1
