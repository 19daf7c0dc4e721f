import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, sendToRedis, startRedis, type TestRedis } from '@tutti/test-kit'
import { openBrowser } from '@tutti/test-kit/browser'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createNuxtApp, type NuxtApp } from './nuxt-app.ts'
import type { NuxtServer } from '../test/nuxt-server.ts'
import { visit, visitConnected } from './visitor.ts'

let app: NuxtApp
let redis: TestRedis
let browser: Browser
let built: string
let one: NuxtServer
let two: NuxtServer

beforeAll(async () => {
  ;[app, redis, browser] = await Promise.all([createNuxtApp(), startRedis(), openBrowser()])
  built = await app.build()
  ;[one, two] = await Promise.all([serve(), serve()])
})
afterAll(async () => {
  await Promise.all([one.kill(), two.kill(), browser.close()])
  await Promise.all([app.remove(), redis.stop()])
})

const serve = (): Promise<NuxtServer> => app.serve({ NUXT_TUTTI_REDIS_URL: redis.url })
const put = (url: string, path: string, body: object): Promise<Response> =>
  fetch(url + path, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

/** The names of the connections that an instance has to Redis. */
async function connectionNames(): Promise<string[]> {
  const list = String(await sendToRedis(redis, 'CLIENT', 'LIST'))
  return [...list.matchAll(/ name=(tutti:\S+)/g)].map(([, name = '']) => name)
}

test('[S22] two pages on two instances share state and events, without a mismatch', async () => {
  await put(one.url, '/api/count', { count: 5 })
  expect(await (await fetch(two.url)).text()).toContain('id="count">5</button>')
  const [ann, ben] = await Promise.all([visitConnected(browser, one.url), visitConnected(browser, two.url)])
  expect([await ann.text('#count'), await ben.text('#count')]).toEqual(['5', '5'])
  await Promise.all([ann.page.click('#count'), ben.page.click('#count')])
  await Promise.all([ann.shows('#count', '7'), ben.shows('#count', '7')])

  await ann.page.fill('#add input', 'Milk')
  await ann.page.click('#add button')
  await ben.shows('#todos', 'Milk')
  await ben.page.check('#todos input')
  await eventually(async () => expect(await ann.page.isChecked('#todos input')).toBe(true))

  await ben.page.fill('#say input', 'hello')
  await ben.page.click('#say button')
  await Promise.all([ann.shows('#messages', 'hello'), ben.shows('#messages', 'hello')])

  expect(await (await fetch(two.url)).text()).toContain('Milk')
  expect([...ann.complaints, ...ben.complaints]).toEqual([])
  expect(new Set([...ann.hosts, ...ben.hosts])).toEqual(new Set([new URL(one.url).host, new URL(two.url).host]))
})

test('[S11] a write through useStorage reaches the pages of the other instance', async () => {
  const visitor = await visitConnected(browser, two.url)
  await put(one.url, '/api/count', { count: 41 })
  await visitor.shows('#count', '41')
  expect(await (await fetch(`${two.url}/api/count`)).json()).toEqual({ count: 41 })
})

test('[S14] an offline page shows its own changes and sends them after reconnecting', async () => {
  await put(one.url, '/api/count', { count: 0 })
  const [ann, ben] = await Promise.all([visitConnected(browser, one.url), visitConnected(browser, two.url)])
  await ann.page.context().setOffline(true)
  await ann.shows('#status', 'offline')
  await ann.page.click('#count')
  await ann.shows('#count', '1')
  await ben.page.click('#count')
  await ben.shows('#count', '1')
  await ann.page.context().setOffline(false)
  await Promise.all([ann.shows('#count', '2'), ben.shows('#count', '2')])
  expect(await (await fetch(`${one.url}/api/count`)).json()).toEqual({ count: 2 })
})

test('[N1] each instance has two connections to Redis', async () => {
  const names = await connectionNames()
  expect(names).toHaveLength(4)
  expect(new Set(names.map((name) => name.split(':')[1])).size).toBe(2)
})

test('[C5] on SIGTERM the process ends, its pages move, and Redis has no leftovers', async () => {
  const before = await connectionNames()
  const stopping = await serve()
  const visitors = await Promise.all([visitConnected(browser, stopping.url), visitConnected(browser, stopping.url)])
  const ms = await stopping.terminate()
  console.log(`ended ${Math.round(ms)} ms after SIGTERM, with two pages open`)
  expect(ms).toBeLessThan(10_000)
  expect(stopping.output).not.toMatch(/error|warn|forcibly|timed out/i)
  for (const visitor of visitors) await visitor.shows('#status', 'reconnecting')
  await eventually(async () => expect((await connectionNames()).toSorted()).toEqual(before.toSorted()))
})

test('[F5] without Redis one warning is logged, and the state is in memory', async () => {
  const alone = await app.serve()
  onTestFinished(() => alone.kill())
  await put(alone.url, '/api/count', { count: 3 })
  expect(await (await fetch(`${alone.url}/api/count`)).json()).toEqual({ count: 3 })
  expect(alone.output.match(/\[tutti\]/g)).toHaveLength(1)
  expect(alone.output).toMatch(/single instance|not synchronized/)
})

test('[S1] without Redis the state is kept in the folder of NUXT_TUTTI_DATA_DIR', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-data-'))
  const start = (): Promise<NuxtServer> => app.serve({ NUXT_TUTTI_DATA_DIR: folder })
  const first = await start()
  await put(first.url, '/api/count', { count: 8 })
  await first.terminate()
  const second = await start()
  onTestFinished(async () => {
    await second.kill()
    await rm(folder, { recursive: true })
  })
  expect(await (await fetch(`${second.url}/api/count`)).json()).toEqual({ count: 8 })
})

test('[S22] on a page without server rendering the browser requests the state', async () => {
  await put(one.url, '/api/notes', { name: 'ann', text: 'Buy milk' })
  for (const path of ['/client', '/static']) {
    expect(await (await fetch(one.url + path, { headers: { cookie: 'user=ann' } })).text()).not.toContain('Buy milk')
    const visitor = await visit(browser, one.url + path, 'ann')
    await visitor.shows('#ann', 'Buy milk')
    expect(visitor.complaints).toEqual([])
  }
})

test('[F5] no state is opened while Nuxt builds', async () => {
  expect(built).not.toMatch(/\[tutti\]|pubsub/)
  await expect(access(join(app.folder, '.data'))).rejects.toThrow('ENOENT')
})
