// `pnpm run demo:cluster`: a Redis, a PostgreSQL and three instances on three ports, until Ctrl-C. HOST, PORT (of the first), REDIS_URL
// and DATABASE_URL (instead of temporary ones, whose data is deleted at the end), SESSION_SECRET.
import { randomBytes } from 'node:crypto'
import { startPostgres, startRedis } from '@tutti/test-kit'
import { buildDemo } from './build-demo.ts'
import { startInstance } from './start-instance.ts'
import { stopWith } from './stop-with.ts'
import { addressOf, whereToListen } from './where-to-listen.ts'

const INSTANCES = 3

try {
  const { host, ports } = await whereToListen(INSTANCES)
  await buildDemo(console.log)
  const [redis, postgres] = await Promise.all([
    process.env['REDIS_URL'] ? undefined : startRedis(),
    process.env['DATABASE_URL'] ? undefined : startPostgres(),
  ])
  const url = redis?.url ?? process.env['REDIS_URL'] ?? ''
  const env = {
    REDIS_URL: url,
    DATABASE_URL: (await postgres?.createDatabase()) ?? process.env['DATABASE_URL'] ?? '',
    DEMO_INSTANCES: ports.map((port) => addressOf(host, port)).join(','),
    // A sign-in on one instance is valid on all.
    SESSION_SECRET: process.env['SESSION_SECRET'] || randomBytes(32).toString('base64url'),
  }
  const instances = await Promise.all(
    ports.map((port) => startInstance({ host, port, env, onComplaint: (text) => process.stderr.write(text) })),
  )

  console.log(`\nThree instances on one Redis (${url}) and one PostgreSQL:\n`)
  for (const { address } of instances) console.log(`  ${address}`)
  console.log('\nOpen two of them side by side and change something. Stop with Ctrl-C.\n')

  let ending: Promise<void> | undefined
  const end = (code: number): void => {
    ending ??= Promise.all(instances.map((instance) => instance.stop()))
      .then(() => Promise.all([redis?.stop(), postgres?.stop()]))
      .then(() => process.exit(code))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(0))
  for (const instance of instances) {
    void instance.ended.then(() => {
      if (ending) return
      console.error(`The instance on ${instance.address} has ended:\n${instance.output}`)
      end(1)
    })
  }
} catch (error) {
  stopWith(error)
}
