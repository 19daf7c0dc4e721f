import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startRedis, type TestRedis } from '@tutti/test-kit'
import { openBrowser } from '@tutti/test-kit/browser'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createNuxtApp, type NuxtApp } from './nuxt-app.ts'
import { startServer } from '../test/nuxt-server.ts'
import { visitConnected } from './visitor.ts'

/** The realtime server of the README, with what differs on a test machine, and a route that shows that it runs. */
const PROCESS = `
import { createServer } from 'node:http'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/node'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { defineRealtime, rules } from '@tutti/nuxt/server'

const definition = defineRealtime({ authorize: rules({ state: { counter: { read: true, write: true } } }) })
const pubsub = new RealtimePubSub({ url: process.env.REDIS_URL })
const httpServer = createServer((request, response) => response.end('ok'))
const realtime = attachRealtime(httpServer, { ...definition, pubsub, state: reactiveRedisDriver({ pubsub }), origins: '*' })
process.once('SIGTERM', () => void realtime.close().then(() => process.exit()))

await realtime.ready
httpServer.listen(Number(process.env.PORT), '127.0.0.1')
`

let app: NuxtApp
let redis: TestRedis
let browser: Browser
beforeAll(async () => {
  ;[app, redis, browser] = await Promise.all([createNuxtApp(), startRedis(), openBrowser()])
  await writeFile(join(app.folder, 'realtime.mjs'), PROCESS)
  await app.build()
})
afterAll(async () => {
  await browser.close()
  await Promise.all([app.remove(), redis.stop()])
})

const BUN = 'node_modules/@oven/bun-linux-x64/bin/bun'

for (const [name, runtime] of [
  ['Node', undefined],
  ['Bun', BUN],
] as const) {
  test(`[C3] pages use a realtime server in a process of its own, on ${name}`, async () => {
    const command = runtime && join(app.folder, runtime)
    const realtime = await startServer({ cwd: app.folder, args: ['realtime.mjs'], env: { REDIS_URL: redis.url } }, '/', command)
    const server = await app.serve({ NUXT_PUBLIC_TUTTI_URL: realtime.url })
    onTestFinished(() => Promise.all([realtime.kill(), server.kill()]).then(() => {}))
    const [ann, ben] = await Promise.all([visitConnected(browser, server.url), visitConnected(browser, server.url)])
    const before = Number(await ann.text('#count'))
    await ann.page.click('#count')
    await ben.shows('#count', String(before + 1))
    expect([...ann.hosts].toSorted()).toEqual([new URL(realtime.url).host, new URL(server.url).host].toSorted())
    // The application has no realtime server of its own.
    expect(server.output).not.toContain('[tutti]')
    expect((await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`)).status).toBe(404)
    const ms = await realtime.terminate()
    console.log(`${name}: the realtime server ended ${Math.round(ms)} ms after SIGTERM, with two pages open`)
    expect(ms).toBeLessThan(10_000)
  })
}
