// @vitest-environment happy-dom
import { listingEntry } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import { createRealtime, useRealtimeState, type ListEntries } from '@tutti/vue'
import { useRealtimeCollection } from '@tutti/vue/collection'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createSSRApp } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { serve, type Served } from './serve.ts'

const List = {
  setup: () => {
    const { items, loading, hasMore } = useRealtimeCollection<string>('list:', { limit: 600 })
    return { items, loading, hasMore }
  },
  template: '<p>{{ items.map(({ value, version }) => value + (version > 0)).join() }} {{ loading }} {{ hasMore }}</p>',
}
const Page = { components: { List }, template: '<main><List /><List /></main>' }
const text = (list: string, loading = false, hasMore = false): string => `<main>${`<p>${list} ${loading} ${hasMore}</p>`.repeat(2)}</main>`

const list =
  (server: Served): ListEntries =>
  (prefix, after) =>
    server.realtime.state.list(prefix, after)

async function render(server: Served, root: object = Page) {
  const realtime = createRealtime({ read: (keys) => server.store.read(keys), list: list(server) })
  return { html: await renderToString(createSSRApp(root).use(realtime)), entries: realtime.dehydrate() }
}

/** Hydrates the page, as in a browser, and records every text that it shows. */
function hydrate(url: string, { html, entries }: { html: string; entries: string }) {
  const warn = vi.spyOn(console, 'warn')
  const element = document.createElement('div')
  element.innerHTML = html
  const seen = new Set([element.innerHTML])
  const observer = new MutationObserver(() => seen.add(element.innerHTML))
  observer.observe(element, { subtree: true, childList: true, characterData: true })
  const realtime = createRealtime({ url, entries: JSON.parse(entries) })
  const app = createSSRApp(Page).use(realtime)
  app.mount(element)
  onTestFinished(() => {
    observer.disconnect()
    app.unmount()
    warn.mockRestore()
  })
  return { element, seen, warn, realtime }
}

test('[S22] a server-rendered page shows the stored list, hydrated without a flash', async () => {
  const server = await serve()
  await server.realtime.state.set('list:b', 'B')
  await server.realtime.state.set('list:a', 'A')
  await server.realtime.state.set('list:gone', 'C')
  await server.realtime.state.remove('list:gone')
  await server.realtime.state.set('other', 'D')
  const page = await render(server)
  expect(page.html).toBe(text('Atrue,Btrue'))
  const { element, seen, warn } = hydrate(server.url, page)
  const [paragraph] = element.querySelectorAll('p')
  await eventually(() => expect(server.of('storage:subscribe')).toHaveLength(2))
  const versions = Object.fromEntries(
    (await server.store.read(['list:a', 'list:b'])).map(({ key, version }): [string, number] => [key, version]),
  )
  expect(server.of('storage:subscribe')).toEqual([
    { prefix: 'list:', versions },
    { prefix: 'list:', versions },
  ])
  await server.realtime.state.set('list:c', 'C')
  await eventually(() => expect(element.innerHTML).toBe(text('Atrue,Btrue,Ctrue')))
  expect([...seen]).toEqual([text('Atrue,Btrue'), text('Atrue,Btrue,Ctrue')])
  expect(element.querySelector('p')).toBe(paragraph)
  expect(warn.mock.calls).toEqual([])
})

test('[S22] a list that is known to be empty is not shown as loading', async () => {
  const server = await serve()
  const page = await render(server)
  expect(page.html).toBe(text(''))
  const { element, seen, warn } = hydrate(server.url, page)
  await eventually(() => expect(server.of('storage:subscribe')).toHaveLength(2))
  await server.realtime.state.set('list:a', 'A')
  await eventually(() => expect(element.innerHTML).toBe(text('Atrue')))
  expect([...seen]).toEqual([text(''), text('Atrue')])
  expect(warn.mock.calls).toEqual([])
})

test('[S22] changes between rendering and hydration show after it, without a mismatch', async () => {
  const server = await serve()
  await server.realtime.state.set('list:a', 'A')
  await server.realtime.state.set('list:b', 'B')
  const page = await render(server)
  await server.realtime.state.remove('list:a')
  await server.realtime.state.set('list:b', 'changed')
  await server.realtime.state.set('list:c', 'C')
  const { element, warn } = hydrate(server.url, page)
  expect(element.innerHTML).toBe(text('Atrue,Btrue'))
  await eventually(() => expect(element.innerHTML).toBe(text('changedtrue,Ctrue')))
  expect(warn.mock.calls).toEqual([])
})

test('[S22] a list is read once for a page, and only up to the limit', async () => {
  const server = await serve()
  for (let place = 1000; place < 2600; place++) void server.realtime.state.set(`list:${place}`, '')
  await eventually(async () => expect((await server.store.read(['list:2599']))[0]).toHaveProperty('value'))
  const requested = vi.fn<ListEntries>(list(server))
  const realtime = createRealtime({ read: (keys) => server.store.read(keys), list: requested })
  const html = await renderToString(createSSRApp(Page).use(realtime))
  const pages = await Promise.all(requested.mock.results.map(({ value }) => value))
  const entries = pages.flatMap((page) => page.entries)
  expect(entries.length).toBeGreaterThanOrEqual(600)
  expect(entries.length - (pages.at(-1)?.entries.length ?? 0)).toBeLessThan(600)
  expect(entries.length).toBeLessThan(1600)
  expect(html).toBe(text(Array.from(entries, () => 'true').join(), false, true))
  expect(JSON.parse(realtime.dehydrate())).toContainEqual(listingEntry('list:', entries.at(-1)?.key))
})

test('[S22] a page never shows two versions of a key', async () => {
  const server = await serve()
  await server.realtime.state.set('list:a', 'old')
  const Below = {
    setup: () => ({ items: useRealtimeCollection<string>('list:').items }),
    template: '<i>{{ items.map(({ value }) => value).join() }}</i>',
  }
  const Above = {
    components: { Below },
    setup: () => ({ one: useRealtimeState<string>('list:a', '') }),
    template: '<p>{{ one }} <Below /></p>',
  }
  const realtime = createRealtime({
    read: (keys) => server.store.read(keys),
    list: async (prefix, after) => {
      await server.realtime.state.set('list:a', 'new')
      return server.realtime.state.list(prefix, after)
    },
  })
  expect(await renderToString(createSSRApp(Above).use(realtime))).toBe('<p>old <i>old</i></p>')
})

test('[S22] a page without `list` shows collections as loading, then the browser loads', async () => {
  const server = await serve()
  await server.realtime.state.set('list:a', 'A')
  const realtime = createRealtime({ read: (keys) => server.store.read(keys) })
  const html = await renderToString(createSSRApp(Page).use(realtime))
  expect(html).toBe(text('', true))
  const { element, warn } = hydrate(server.url, { html, entries: realtime.dehydrate() })
  await eventually(() => expect(element.innerHTML).toBe(text('Atrue')))
  expect(warn.mock.calls).toEqual([])
})
