import { once } from 'node:events'
import { createServer } from 'node:http'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver, type ReactiveDriver } from '@tutti/storage-driver'
import { eventually, freePort } from '@tutti/test-kit'
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import memoryDriver from 'unstorage/drivers/memory'
import { openApplication } from './open-application.ts'

/** A page that counts and notes, and shows what it has. */
const main = (port: number): string => `
import { createRealtimeClient } from '@tutti/client'
import { createOfflineQueue } from '@tutti/client/offline-queue'

const client = createRealtimeClient({ url: 'http://127.0.0.1:${port}', offlineQueue: createOfflineQueue() })
const count = client.state('count', { default: 0 })
const note = client.state('note', { default: '' })
const show = () => {
  document.title = JSON.stringify([count.current.value, note.current.value, client.connection.current.status])
}
for (const source of [count, note, client.connection]) source.subscribe(show)
Object.assign(globalThis, { change: (text) => { void count.increment(); void note.set(text) } })
show()
`

const change = (page: Page, text: string): Promise<unknown> => page.evaluate(`change(${JSON.stringify(text)})`)
const shows = (page: Page, parts: readonly unknown[]): Promise<void> =>
  eventually(async () => expect((JSON.parse(await page.title()) as unknown[]).slice(0, parts.length)).toEqual(parts))

/** How many rows the page's database has. */
const keptRows = (page: Page): Promise<unknown> =>
  page.evaluate(`new Promise((resolve, reject) => {
    const opening = indexedDB.open('tutti')
    opening.onerror = reject
    opening.onsuccess = () => {
      const counting = opening.result.transaction('changes').objectStore('changes').count()
      counting.onsuccess = () => { opening.result.close(); resolve(counting.result) }
    }
  })`)

async function serve(port: number, state: ReactiveDriver): Promise<void> {
  const httpServer = createServer()
  const realtime = attachRealtime(httpServer, { state, origins: '*', onWarning: () => {} })
  httpServer.listen(port, '127.0.0.1')
  await once(httpServer, 'listening')
  onTestFinished(async () => {
    await realtime.close()
    httpServer.closeAllConnections()
    httpServer.close()
  })
}

test('[S14] [S12] in Chromium, offline changes survive reloads and closed tabs, once', async () => {
  const port = await freePort()
  const { open } = await openApplication({ 'src/main.ts': main(port) })
  const alone = await open()
  const context = await alone.context().browser()?.newContext()
  if (context === undefined) throw new Error('There is no browser.')
  const openTab = async (): Promise<Page> => {
    const tab = await context.newPage()
    await tab.goto(alone.url())
    return tab
  }
  const page = await openTab()
  await change(page, 'first')
  await shows(page, [1, 'first'])
  await eventually(async () => expect(await keptRows(page)).toBe(2))
  await page.reload()
  // The changes made before the reload are shown without any server, and further changes are added to them.
  await shows(page, [1, 'first'])
  await change(page, 'second')
  await shows(page, [2, 'second'])
  const other = await openTab()
  await change(other, 'of the other tab')
  await shows(other, [1, 'of the other tab'])
  await eventually(async () => expect(await keptRows(page)).toBe(4))
  // The changes of the other tab are not taken over before it is closed.
  await other.close()
  const locks = (): Promise<number> => page.evaluate(async () => (await navigator.locks.query()).held?.length ?? 0)
  await eventually(async () => expect(await locks()).toBe(1))

  const state = reactiveDriver(memoryDriver())
  await serve(port, state)
  await shows(page, [3])
  await eventually(async () => expect(await keptRows(page)).toBe(0))
  const stored = (await state.read(['count'])).map((entry) => 'value' in entry && entry.value)
  expect(stored).toEqual([3])
})
