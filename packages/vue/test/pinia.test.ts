// @vitest-environment happy-dom
import { eventually } from '@tutti/test-kit'
import { createRealtime, useRealtimeState } from '@tutti/vue'
import { useRealtimeCollection } from '@tutti/vue/collection'
import { realtimeStores } from '@tutti/vue/pinia'
import { acceptHMRUpdate, createPinia, defineStore, storeToRefs, type Pinia, type StateTree } from 'pinia'
import { createPersistedState } from 'pinia-plugin-persistedstate'
import { expect, onTestFinished, test } from 'vitest'
import { createApp, createSSRApp, h, nextTick, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { serve, type Served } from './serve.ts'

/** A persisted state of an earlier version, in which everything was local. */
const kept = new Map<string, string>()
const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, text: string) => void kept.set(key, text) }

const poll = (): { title: string; votes: number } => ({ title: 'default', votes: 0 })

const useSetup = defineStore(
  'setup',
  () => {
    const count = useRealtimeState('count', 0)
    const form = useRealtimeState('form', poll())
    const { items, add } = useRealtimeCollection<{ text: string }>('todos:')
    const local = ref('')
    const increment = (): Promise<void> => count.increment()
    return { count, form, items, add, local, increment }
  },
  { persist: true },
)

const useOptions = defineStore('options', {
  state: () => ({ count: useRealtimeState('count', 0), form: useRealtimeState('form', poll()), local: '' }),
  getters: { double: ({ count }): number => count * 2 },
  persist: true,
})

/** The writes of all pages. */
const written = (server: Served): unknown[] => server.messages.filter(({ name }) => !name.endsWith('subscribe'))

interface Opened {
  pinia: Pinia
  setup: ReturnType<typeof useSetup>
  options: ReturnType<typeof useOptions>
}

/** A page with both stores, optionally with the states of another page's stores. */
async function open(server: Served, carried?: Record<string, StateTree>): Promise<Opened> {
  const pinia = createPinia().use(realtimeStores)
  pinia.use(createPersistedState({ storage }))
  if (carried) pinia.state.value = carried
  const stores: Opened[] = []
  const component = {
    setup: () => {
      stores.push({ pinia, setup: useSetup(), options: useOptions() })
      return () => h('i')
    },
  }
  const app = createApp(component)
    .use(createRealtime({ url: server.url }))
    .use(pinia)
  app.mount(document.createElement('div'))
  onTestFinished(() => app.unmount())
  const [opened] = stores
  if (!opened) throw new Error('There are no stores.')
  await eventually(() => expect([opened.setup.count, opened.options.form.votes, opened.setup.items.length]).toEqual([7, 7, 1]))
  return opened
}

async function serveStored(): Promise<Served> {
  kept.clear()
  const server = await serve()
  await server.realtime.state.set('count', 7)
  await server.realtime.state.set('form', { title: 'stored', votes: 7 })
  await server.realtime.state.set('todos:1', { text: 'stored' })
  return server
}

const stored = async (server: Served): Promise<unknown> =>
  (await server.store.read(['count', 'form'])).map((entry) => 'value' in entry && entry.value)

test('[S23] restored stores send nothing, regardless of their content', async () => {
  const server = await serveStored()
  const old = { count: 1, form: { title: 'old', votes: 1 }, items: [], local: 'kept' }
  kept.set('setup', JSON.stringify(old))
  kept.set('options', JSON.stringify(old))
  const { pinia, setup, options } = await open(server, { setup: old, options: { ...old, $realtime: ['count', 'form'] } })
  expect([setup.local, options.local]).toEqual(['kept', 'kept'])

  // Neither the page's data nor the persisted state contains shared state.
  const states = JSON.stringify(pinia.state.value)
  setup.local = options.local = 'new'
  await nextTick()
  for (const text of [states, kept.get('setup'), kept.get('options')]) expect(text).not.toMatch(/title":"stored|"count":7|todos/)

  // Time travel of devtools, which assigns its copy of `pinia.state`.
  for (const [id, state] of Object.entries(JSON.parse(states) as Record<string, StateTree>))
    Object.assign(pinia.state.value[id] ?? {}, state)
  options.$reset()
  expect(options.local).toBe('')
  // HMR, with another key.
  const useOther = defineStore('options', { state: () => ({ count: useRealtimeState('other', 0), local: '' }) })
  await pinia._a.runWithContext(() => acceptHMRUpdate(useOptions, { data: { pinia } })({ useOther }))
  const useOtherSetup = defineStore('setup', () => ({ count: useRealtimeState('other', 0) }))
  await pinia._a.runWithContext(() => acceptHMRUpdate(useSetup, { data: { pinia } })({ useOtherSetup }))
  await nextTick()
  await eventually(() => expect([setup.count, options.count]).toEqual([0, 0]))
  expect(written(server)).toEqual([])
  expect(await stored(server)).toEqual([7, { title: 'stored', votes: 7 }])
})

test('[S23] user changes of a store are sent: assignment, in place, $patch, $state', async () => {
  const server = await serveStored()
  const { setup, options } = await open(server)
  for (const store of [setup, options]) {
    const refs = storeToRefs(store as typeof setup)
    let votes = 10
    const changes: readonly (() => void)[] = [
      () => (store.form = { title: 'user', votes }),
      () => (store.form.votes = votes),
      () => (refs.form.value = { title: 'user', votes }),
      () => store.$patch({ form: { votes } } as never),
      () => store.$patch(((state: object) => Object.assign(state, { form: { title: 'user', votes } })) as never),
      () => (store.$state = { form: { title: 'user', votes } } as never),
    ]
    for (const [index, change] of changes.entries()) {
      votes++
      change()
      await eventually(async () => expect(await stored(server), `${store.$id} ${index}`).toEqual([7, { title: 'user', votes }]))
    }
  }
  const before = written(server).length
  setup.form = { votes: setup.form.votes, title: 'user' }
  options.$patch({ count: 7 } as never)
  await nextTick()
  expect(written(server)).toHaveLength(before)
  await setup.increment()
  expect([setup.count, options.count, options.double]).toEqual([8, 8, 16])
  const item = setup.items[0]
  if (item) item.value.text = 'user'
  await eventually(async () => expect(await server.realtime.state.get('todos:1')).toMatchObject({ value: { text: 'user' } }))
})

test('[S23] assignments during setup are not sent, later ones are', async () => {
  const server = await serveStored()
  const { setup } = await open(server)
  const app = createApp({
    setup: () => {
      const count = useRealtimeState('count', 0)
      const form = useRealtimeState('form', poll())
      count.value = 1
      form.value = { title: 'old', votes: 1 }
      form.value.votes++
      return () => h('i')
    },
    mounted: () => void (setup.count = 9),
  }).use(createRealtime({ url: server.url }))
  app.mount(document.createElement('div'))
  onTestFinished(() => app.unmount())
  await eventually(async () => expect(await stored(server)).toEqual([9, { title: 'stored', votes: 7 }]))
  expect(written(server)).toHaveLength(1)
})

test('[S23] a page with an option store reports that it needs the plugin', async () => {
  const server = await serveStored()
  const App = {
    setup: () => {
      const { count } = storeToRefs(useOptions())
      return () => h('i', count.value)
    },
  }
  const render = async (pinia: Pinia): Promise<unknown> => {
    const realtime = createRealtime({ read: (keys) => server.store.read(keys) })
    const html = await renderToString(createSSRApp(App).use(pinia).use(realtime))
    return [html, realtime.dehydrate().length > 10, JSON.stringify(pinia.state.value)]
  }
  await expect(render(createPinia())).rejects.toThrow('Option store "options" contains shared state')
  expect(await render(createPinia().use(realtimeStores))).toEqual([
    '<i>7</i>',
    true,
    '{"options":{"local":"","$realtime":["count","form"]}}',
  ])
})
