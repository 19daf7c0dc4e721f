// @vitest-environment happy-dom
import { eventually } from '@tutti/test-kit'
import { createRealtime, useRealtimeConnection, useRealtimeEvents, useRealtimeState, type ReadEntries, type Realtime } from '@tutti/vue'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createSSRApp, defineAsyncComponent, h, nextTick, Suspense, useId, type App } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { serve, type Served } from './serve.ts'

const Votes = {
  setup: () => {
    const poll = useRealtimeState('poll', { title: 'nothing yet', votes: 0 })
    const absent = useRealtimeState('absent', 'no one')
    const { status } = useRealtimeConnection()
    const { loading } = poll
    return { poll, absent, status, loading }
  },
  template: '<p>{{ poll.title }} {{ poll.votes }} {{ absent }} {{ status }} {{ loading }}</p>',
}
const Page = { components: { Votes }, template: '<main><Votes /><Votes /></main>' }

function spyOnConsole(name: 'warn' | 'error'): ReturnType<typeof vi.spyOn> {
  const spy = vi.spyOn(console, name)
  onTestFinished(() => spy.mockRestore())
  return spy
}

interface RenderedPage {
  html: string
  entries: string
}

async function render(server: Served, root: object = Page): Promise<RenderedPage> {
  const realtime = createRealtime({ read: (keys) => server.store.read(keys) })
  const html = await renderToString(createSSRApp(root).use(realtime))
  return { html, entries: realtime.dehydrate() }
}

/** Hydrates the page, as in a browser. */
function hydrate(page: RenderedPage, realtime: Realtime, root: object = Page): { element: HTMLElement; app: App } {
  const element = document.createElement('div')
  element.innerHTML = page.html
  const app = createSSRApp(root).use(realtime)
  app.mount(element)
  onTestFinished(() => app.unmount())
  return { element, app }
}

const text = (title: string, votes: number, loading = false, status = 'connecting'): string =>
  `<main>${`<p>${title} ${votes} no one ${status} ${loading}</p>`.repeat(2)}</main>`

test('[S22] a page rendered on a server shows stored values, hydrated without a flash', async () => {
  const server = await serve()
  await server.realtime.state.set('poll', { title: 'Tabs?', votes: 3 })
  const warn = spyOnConsole('warn')
  const error = spyOnConsole('error')
  const page = await render(server)
  expect(page.html).toBe(text('Tabs?', 3))
  const { element } = hydrate(page, createRealtime({ url: server.url, entries: JSON.parse(page.entries) }))
  const [paragraph] = element.querySelectorAll('p')
  expect(element.innerHTML).toBe(text('Tabs?', 3))
  await eventually(() => expect(element.innerHTML).toBe(text('Tabs?', 3, false, 'connected')))
  const { version } = await server.realtime.state.get('poll')
  const keys = [
    { key: 'poll', version },
    { key: 'absent', version: 0 },
  ]
  await eventually(() => expect(server.of('storage:subscribe')).toEqual([{ keys }]))
  await server.realtime.state.patch('poll', { votes: 4 })
  await eventually(() => expect(element.innerHTML).toBe(text('Tabs?', 4, false, 'connected')))
  // Hydrated, not created anew.
  expect(element.querySelector('p')).toBe(paragraph)
  expect([warn.mock.calls, error.mock.calls]).toEqual([[], []])
})

test('[S22] ids of `useId` are the same on the server and in the browser', async () => {
  const server = await serve()
  const warn = spyOnConsole('warn')
  const Labelled = {
    setup: () => ({ poll: useRealtimeState('poll', { title: 'nothing yet' }), id: useId() }),
    components: { Inner: { setup: () => ({ id: useId() }), template: '<i :id="id"></i>' } },
    template: '<p :id="id">{{ poll.title }}<Inner /></p>',
  }
  const page = await render(server, Labelled)
  hydrate(page, createRealtime({ url: server.url, entries: JSON.parse(page.entries) }), Labelled)
  expect(warn.mock.calls).toEqual([])
})

test('[S22] changes between rendering and hydration show after it, without a mismatch', async () => {
  const server = await serve()
  await server.realtime.state.set('poll', { title: 'Tabs?', votes: 3 })
  const warn = spyOnConsole('warn')
  const page = await render(server)
  await server.realtime.state.set('poll', { title: 'Spaces?', votes: 9 })
  const realtime = createRealtime({ url: server.url, entries: JSON.parse(page.entries) })
  // Another part of the page was faster, and the client already has the entry.
  const handle = realtime.client.state<{ votes: number }>('poll')
  await eventually(() => expect(handle.current.value?.votes).toBe(9))
  const { element } = hydrate(page, realtime)
  expect(element.innerHTML).toBe(text('Tabs?', 3))
  await nextTick()
  expect(element.innerHTML).toBe(text('Spaces?', 9, true, 'connected').replaceAll('true', 'false'))
  expect(warn.mock.calls).toEqual([])
})

test('[S22] a part that is hydrated later also starts from the rendered values', async () => {
  const server = await serve()
  await server.realtime.state.set('poll', { title: 'Tabs?', votes: 3 })
  const warn = spyOnConsole('warn')
  const parts: (() => void)[] = []
  const later = { setup: () => () => h(Suspense, null, { default: () => h(defineAsyncComponent(async () => Votes)) }) }
  const lateInBrowser = {
    setup: () => () => h(Suspense, null, { default: () => h(part) }),
  }
  const part = defineAsyncComponent(() => new Promise<typeof Votes>((resolve) => parts.push(() => resolve(Votes))))
  const page = await render(server, later)
  const realtime = createRealtime({ url: server.url, entries: JSON.parse(page.entries) })
  const { element } = hydrate(page, realtime, lateInBrowser)
  const handle = realtime.client.state<{ votes: number }>('poll')
  await eventually(() => expect(handle.current.loading).toBe(false))
  await server.realtime.state.patch('poll', { votes: 4 })
  await eventually(() => expect(handle.current.value?.votes).toBe(4))
  expect(element.textContent).toBe('Tabs? 3 no one connecting false')
  for (const resolve of parts) resolve()
  await eventually(() => expect(element.textContent).toBe('Tabs? 4 no one connected false'))
  expect(warn.mock.calls).toEqual([])
})

test('[S22] a page reads each key once, and all keys of one turn together', async () => {
  const server = await serve()
  const read = vi.fn<ReadEntries>((keys) => server.store.read(keys))
  const realtime = createRealtime({ read })
  await renderToString(createSSRApp(Page).use(realtime))
  expect(read.mock.calls).toEqual([[['poll', 'absent']]])
})

test('[S22] stored text cannot end the script that contains it', async () => {
  const server = await serve()
  const value = { title: '</script><script>alert(1)</script><!--', votes: 0 }
  await server.realtime.state.set('poll', value)
  const { entries } = await render(server)
  expect(entries).not.toContain('<')
  expect(JSON.parse(entries)).toContainEqual(expect.objectContaining({ key: 'poll', value }))
})

test('[S22] a page without readable values shows defaults, and the browser loads them', async () => {
  const server = await serve()
  await server.realtime.state.set('poll', { title: 'Tabs?', votes: 3 })
  const realtime = createRealtime({ read: async () => Promise.reject(new Error('no store')) })
  const app = createSSRApp(Page).use(realtime)
  const errors: unknown[] = []
  app.config.errorHandler = (error) => errors.push(error)
  const html = await renderToString(app)
  expect(html).toBe(text('nothing yet', 0, true))
  expect(errors).toContainEqual(new Error('no store'))
  const { element } = hydrate({ html, entries: '[]' }, createRealtime({ url: server.url, entries: JSON.parse(realtime.dehydrate()) }))
  await eventually(() => expect(element.innerHTML).toBe(text('Tabs?', 3, false, 'connected')))
})

test('[S22] the version is the stored one', async () => {
  const server = await serve()
  const { version } = await server.realtime.state.set('count', 1)
  const Version = {
    setup: () => {
      const count = useRealtimeState('count', 0)
      return () => h('b', `${count.value} ${count.version.value} ${count.pending.value} ${count.isDirty.value} ${count.error.value}`)
    },
  }
  expect((await render(server, Version)).html).toBe(`<b>1 ${version} false false undefined</b>`)
})

test('[S22] on a server nothing is connected, subscribed or left running', async () => {
  const server = await serve()
  const realtime = createRealtime({ read: (keys) => server.store.read(keys) })
  const subscribed = vi.spyOn(realtime.client.events, 'subscribe')
  const outcomes: unknown[] = []
  const Chat = {
    setup: () => {
      const { subscribe } = useRealtimeEvents()
      subscribe('chat:*', () => {})
      const count = useRealtimeState('count', 0)
      count.value = 7
      count.increment().catch((error: unknown) => outcomes.push(error))
      return () => h('b', count.value)
    },
  }
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  expect(await renderToString(createSSRApp(Chat).use(realtime))).toBe('<b>0</b>')
  expect(vi.getTimerCount()).toBe(0)
  expect(realtime.client.connection.current.status).toBe('offline')
  expect(server.messages).toEqual([])
  expect(subscribed).not.toHaveBeenCalled()
  expect(outcomes).toEqual([expect.objectContaining({ code: 'CLOSED' })])
})

test('[S22] a plugin for browsers connects nothing without a document', async () => {
  const { document } = globalThis
  Reflect.deleteProperty(globalThis, 'document')
  onTestFinished(() => void Object.assign(globalThis, { document }))
  const realtime = createRealtime({ url: 'http://127.0.0.1:1' })
  expect(realtime.client.connection.current.status).toBe('offline')
  expect(await renderToString(createSSRApp(Page).use(realtime))).toBe(text('nothing yet', 0, true))
})

test('[S22] a plugin without a url works on a server, and connect() has no effect', async () => {
  const { document } = globalThis
  Reflect.deleteProperty(globalThis, 'document')
  onTestFinished(() => void Object.assign(globalThis, { document }))
  for (const realtime of [createRealtime(), createRealtime({ read: async () => [] })]) {
    const { connection } = realtime.client
    expect(connection.current).toMatchObject({ status: 'offline', attempt: 0, reason: undefined })
    connection.connect()
    await eventually(() => expect(connection.current).toMatchObject({ status: 'closed', reason: { code: 'UNSUPPORTED' } }))
  }
})
