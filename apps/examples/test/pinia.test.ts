import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import { eventually } from '@tutti/test-kit'
import { openBrowser } from '@tutti/test-kit/browser'
import { createRealtime } from '@tutti/vue'
import memoryDriver from 'unstorage/drivers/memory'
import { build } from 'vite'
import { expect, onTestFinished, test } from 'vitest'
import { renderToString } from 'vue/server-renderer'
import { createPage } from './pinia-app.ts'

/** Page loads, by two users in turn: `PINIA_LOADS=100` for more. */
const LOADS = Number(process.env['PINIA_LOADS'] ?? 6)

const main = `
import { createRealtime } from '@tutti/vue'
import { createPage } from '../../pinia-app.ts'

const { entries, state } = JSON.parse(document.querySelector('#page').textContent)
const { app, pinia } = createPage(createRealtime({ url: location.origin, entries }))
pinia.state.value = state
app.mount('#app')
document.title = 'mounted'
`

/** The browser's part, built; it ends with the test. */
async function buildPage(): Promise<string> {
  const root = mkdtempSync(fileURLToPath(new URL('./app-', import.meta.url)))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'src'))
  writeFileSync(join(root, 'src/main.ts'), main)
  writeFileSync(join(root, 'index.html'), '<!doctype html><!--page--><script type="module" src="/src/main.ts"></script>')
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    resolve: { conditions: ['@tutti/source', 'browser'] },
    // Vue reports mismatches of hydration in this mode only.
    mode: 'development',
    define: { 'process.env.NODE_ENV': '"development"' },
  })
  return join(root, 'dist')
}

test(`[S23] ${LOADS} loads of a page with Pinia stores send no change`, async () => {
  const folder = await buildPage()
  const store = reactiveDriver(memoryDriver())
  const httpServer = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    if (path.startsWith('/assets/')) {
      response.setHeader('content-type', 'text/javascript')
      response.end(readFileSync(join(folder, path)))
    } else void render(path).then((page) => response.setHeader('content-type', 'text/html').end(page))
  })
  const realtime = attachRealtime(httpServer, { state: store, onWarning: () => {} })
  const messages: string[] = []
  realtime.io.on('connection', (socket) =>
    socket.onAny((name: string, payload: unknown) => messages.push(`${name} ${JSON.stringify(payload)}`)),
  )
  httpServer.listen(0, '127.0.0.1')
  await once(httpServer, 'listening')
  onTestFinished(async () => {
    await realtime.close()
    httpServer.closeAllConnections()
    httpServer.close()
  })
  const { port } = httpServer.address() as AddressInfo

  /** A page of `/bare` carries the states of the stores alone, so that its client knows nothing. */
  const render = async (path: string): Promise<string> => {
    const plugin = createRealtime({ read: (keys) => store.read(keys), list: (prefix, after) => store.list(prefix, after) })
    const { app, pinia } = createPage(plugin)
    const html = await renderToString(app)
    const page = { entries: path === '/bare' ? [] : (JSON.parse(plugin.dehydrate()) as unknown), state: pinia.state.value }
    const text = JSON.stringify(page).replaceAll('<', String.raw`\u003c`)
    const body = `<div id="app">${html}</div><script id="page" type="application/json">${text}</script>`
    return readFileSync(join(folder, 'index.html'), 'utf8').replace('<!--page-->', () => body)
  }

  let count = 0
  const write = async (): Promise<void> => {
    count++
    await realtime.state.set('votes', count)
    await realtime.state.set('visits', count)
    await realtime.state.set('form', { title: `title ${count}`, tags: [`tag ${count}`] })
    await realtime.state.patch('about', { page: `page ${count}` })
    await realtime.state.set(`todos:${count % 5}`, { text: `todo ${count}` })
  }
  /** What each page shows in the end. */
  const shown = (): string => `title ${count} tag ${count} ${count} page ${count} local`
  await write()
  const interval = setInterval(() => void write(), 25)
  onTestFinished(() => clearInterval(interval))

  const browser = await openBrowser()
  onTestFinished(() => browser.close())
  const users = [await browser.newContext(), await browser.newContext()]
  const problems: string[] = []
  for (let load = 0; load < LOADS; load++) {
    const page = await users[load % 2]?.newPage()
    if (!page) throw new Error('There is no page.')
    page.on('pageerror', ({ message }) => problems.push(message))
    const isBare = load % 4 > 1
    // Without entries the first page shows defaults, which differ from what was rendered.
    page.on(
      'console',
      (line) => !isBare && /hydration (node|text|attribute|children|completed)/i.test(line.text()) && problems.push(line.text()),
    )
    await page.goto(`http://127.0.0.1:${port}${isBare ? '/bare' : '/'}`)
    const before = count
    // It follows what others write, in both stores.
    await eventually(async () => {
      const votes = Number(/^title (\d+) tag \1 \1 page \1 local$/.exec((await page.textContent('p')) ?? '')?.[1] ?? 0)
      expect(votes).toBeGreaterThan(before)
    })
    if (load < LOADS - 1) await page.close()
    else {
      clearInterval(interval)
      await eventually(async () => expect(await page.textContent('p')).toBe(shown()))
      expect(messages.filter((message) => !/^storage:(un)?subscribe /.test(message))).toEqual([])
      // What its user does is sent.
      await page.click('button')
      await page.fill('input', 'by the user')
      await eventually(async () => {
        expect(messages.filter((message) => !/^storage:(un)?subscribe /.test(message))).toHaveLength(2)
        expect(await store.read(['about', 'votes'])).toMatchObject([{ value: { page: 'by the user' } }, { value: count + 1 }])
      })
    }
  }
  console.log(`${LOADS} loads, ${5 * count} writes by others, ${messages.length} messages of pages, 0 changes`)
  expect(problems).toEqual([])
}, 600_000)
