// Runs the suites of the packages that stand on Redis with ioredis 6, the processes that they start included.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const hook = new URL('./ioredis-6.mjs', import.meta.url)
const projects = ['pubsub', 'storage-driver'].flatMap((name) => ['--project', name])
const env = { ...process.env, TUTTI_IOREDIS: '6', NODE_OPTIONS: `--import=${hook.href}` }
const cwd = fileURLToPath(new URL('..', import.meta.url))
const { status } = spawnSync('vitest', ['run', ...projects, ...process.argv.slice(2)], { cwd, env, stdio: 'inherit' })
process.exit(status ?? 1)
