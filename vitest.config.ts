import { defineConfig } from 'vitest/config'
import { COUNTING_TIMERS } from './packages/server/test/counting-timers.ts'
import { vitestProject } from './vitest.base.ts'
import { LongestFirst } from './vitest.order.ts'

const hook = `--import=${new URL('./scripts/ioredis-6.mjs', import.meta.url).href}`
const ofPubsub = vitestProject('pubsub on ioredis 6')
// What touches ioredis most; all of it, and the stores, with `pnpm run test:ioredis-6`.
const files = ['ioredis', 'pub-sub', 'gap', 'outage', 'scripts', 'start-up', 'two-connections', 'dispose', 'tls', 'message-reader']
const onIoredis6 = {
  ...ofPubsub,
  root: 'packages/pubsub',
  test: {
    ...ofPubsub.test,
    include: files.map((name) => `test/${name}.test.ts`),
    execArgv: [hook],
    env: { TUTTI_IOREDIS: '6', NODE_OPTIONS: hook },
  },
}

const ofServer = vitestProject('server through Socket.IO')
// What crosses a socket, on the fallback: without frames that are written directly.
const onFallback = ['wire', 'state', 'each-key', 'events', 'revoke', 'slow-connections', 'connection', 'close', 'limits']
const throughSocketIo = {
  ...ofServer,
  root: 'packages/server',
  test: { ...ofServer.test, include: onFallback.map((name) => `test/${name}.test.ts`), env: { TUTTI_DIRECT_FRAMES: 'false' } },
}

const ofTimers = vitestProject('server, counting timers', { isolate: true })
const countingTimers = { ...ofTimers, root: 'packages/server', test: { ...ofTimers.test, include: COUNTING_TIMERS } }

// Tests read the sources (condition `@tutti/source`), so nothing has to be built first.
export default defineConfig({
  test: {
    projects: ['packages/*', 'apps/*', onIoredis6, throughSocketIo, countingTimers],
    sequence: { sequencer: LongestFirst },
    reporters: process.env['TUTTI_REPORT'] ? ['default', ['json', { outputFile: process.env['TUTTI_REPORT'] }]] : ['default'],
  },
})
