import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { eventually } from '@tutti/test-kit'
import { openBrowser } from '@tutti/test-kit/browser'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createNuxtApp, type NuxtApp } from './nuxt-app.ts'
import type { NuxtServer } from '../test/nuxt-server.ts'
import { visitConnected, type Visitor } from './visitor.ts'

const SLOW = { timeoutMs: 60_000, everyMs: 200 }

let app: NuxtApp
let server: NuxtServer
let browser: Browser
let visitor: Visitor
let client: RealtimeClient
beforeAll(async () => {
  ;[app, browser] = await Promise.all([createNuxtApp(), openBrowser()])
  server = await app.dev()
  visitor = await visitConnected(browser, server.url)
  visitor.page.setDefaultTimeout(10_000)
  client = createRealtimeClient({ url: server.url })
  await client.state<number>('counter').set(7)
})
afterAll(async () => {
  await client.close()
  await Promise.all([server.kill(), browser.close()])
  await app.remove()
})

/**
 * After each edit the stored value is there, a page connects, and Nuxt has not been restarted. A page may have to be requested again:
 * Nuxt's dev server (4.5.2) loses some of the requests that arrive while it replaces its worker.
 */
afterEach(async () => {
  await eventually(async () => {
    await visitor.page.goto(server.url)
    await visitor.shows('#status', 'connected')
    await visitor.shows('#count', '7')
  }, SLOW)
  expect(await storedCount()).toBe(7)
  expect(server.output).not.toMatch(/restart/i)
})

const storedCount = async (): Promise<unknown> => {
  const body: unknown = await (await fetch(`${server.url}/api/count`, { signal: AbortSignal.timeout(20_000) })).json()
  return typeof body === 'object' && body !== null && 'count' in body ? body.count : undefined
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const file = join(app.folder, path)
  await writeFile(file, change(await readFile(file, 'utf8')))
}

/** Expects that a change of a key has this outcome in the end: the code of an error, or `stored`. */
async function expectChange(key: string, value: unknown, outcome: string): Promise<void> {
  await eventually(async () => {
    const state = client.state<unknown>(key)
    const result = await state.set(value).then(
      () => 'stored',
      (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
    )
    state.dispose()
    expect(result).toBe(outcome)
  }, SLOW)
}

test('[README] an edit of server/realtime.ts is in force', async () => {
  await expectChange('todos:1', { text: 'a', done: false }, 'stored')
  await edit('server/realtime.ts', (text) => text.replace("'todos:*': READ_AND_WRITE", "'todos:*': { read: true }"))
  await expectChange('todos:1', { text: 'b', done: false }, 'FORBIDDEN')
})

test('[README] deleting and creating server/realtime.ts are in force', async () => {
  const file = join(app.folder, 'server/realtime.ts')
  const text = await readFile(file, 'utf8')
  await rm(file)
  await expectChange('todos:1', { text: 'c', done: false }, 'stored')
  await writeFile(file, text)
  await expectChange('todos:1', { text: 'd', done: false }, 'FORBIDDEN')
  await edit('server/realtime.ts', (now) => now.replace("'todos:*': { read: true }", "'todos:*': READ_AND_WRITE"))
  await expectChange('todos:1', { text: 'e', done: false }, 'stored')
})

test('[README] an edit of shared/realtime.ts is in force', async () => {
  await expectChange('todos:1', { text: 'f'.repeat(20), done: false }, 'stored')
  await edit('shared/realtime.ts', (text) => text.replace('text: v.string(), done', 'text: v.pipe(v.string(), v.maxLength(10)), done'))
  await expectChange('todos:1', { text: 'g'.repeat(20), done: false }, 'INVALID_VALUE')
})

test('[README] deleting and creating shared/realtime.ts take effect, also in the types', async () => {
  const file = join(app.folder, 'shared/realtime.ts')
  const types = join(app.folder, '.nuxt/types/tutti.d.ts')
  const text = await readFile(file, 'utf8')
  expect(await readFile(types, 'utf8')).toContain('shared/realtime')
  await rm(file)
  await expectChange('todos:1', 'no schema', 'stored')
  await eventually(async () => expect(await readFile(types, 'utf8')).not.toContain('shared/realtime'), SLOW)
  await writeFile(file, text)
  await expectChange('todos:1', 'a schema', 'INVALID_VALUE')
  await eventually(async () => expect(await readFile(types, 'utf8')).toContain('shared/realtime'), SLOW)
  await expectChange('todos:1', { text: 'h', done: false }, 'stored')
})

test('[README] an edit of a page is shown without a reload', async () => {
  await visitor.page.evaluate(() => Reflect.set(window, 'isSamePage', true))
  await edit('app/pages/index.vue', (text) => text.replace('Connection:', 'State of the connection:'))
  await visitor.shows('main', 'State of the connection:')
  expect(await visitor.page.evaluate(() => Reflect.get(window, 'isSamePage'))).toBe(true)
})

test('[F5] one warning states that instances are not synchronized', () => {
  expect(server.output.match(/\[tutti\]/g)).toHaveLength(1)
  expect(server.output).toContain('instances are not synchronized')
})

test('[C5] on SIGTERM the dev server ends, and its state is there at the next start', async () => {
  const ms = await server.terminate()
  console.log(`the dev server ended ${Math.round(ms)} ms after SIGTERM`)
  expect(ms).toBeLessThan(20_000)
  server = await app.dev()
})
