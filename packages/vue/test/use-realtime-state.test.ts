// @vitest-environment happy-dom
import { eventually } from '@tutti/test-kit'
import { createRealtime, useRealtimeState } from '@tutti/vue'
import { expect, test } from 'vitest'
import { computed, createApp, nextTick, ref } from 'vue'
import { mount, serve } from './serve.ts'

test('[S4] an assignment in one browser is shown by the other', async () => {
  const server = await serve()
  const { result: a } = mount(server.url, () => useRealtimeState('count', 0))
  const { result: b, element } = mount(server.url, () => ({ count: useRealtimeState('count', 0) }), '<p>{{ count }}</p>')
  a.value = 5
  expect(a.value).toBe(5)
  await eventually(() => expect(b.count.value).toBe(5))
  await nextTick()
  expect(element.innerHTML).toBe('<p>5</p>')
})

test('[S13] loading, pending and version show the progress of a change', async () => {
  const server = await serve()
  const { result: count } = mount(server.url, () => useRealtimeState('count', 7))
  expect([count.value, count.loading.value, count.version.value]).toEqual([7, true, undefined])
  await eventually(() => expect(count.loading.value).toBe(false))
  expect(count.version.value).toBe(0)
  const done = count.set(8)
  expect([count.value, count.pending.value]).toEqual([8, true])
  await done
  expect([count.value, count.pending.value]).toEqual([8, false])
  expect(count.version.value).toBeGreaterThan(0)
})

test('[S7] increments of two browsers add up', async () => {
  const server = await serve()
  const { result: a } = mount(server.url, () => useRealtimeState('count', 40))
  const { result: b } = mount(server.url, () => useRealtimeState('count', 40))
  await Promise.all([a.increment(), b.increment(), a.increment(-1), b.increment()])
  await eventually(() => expect([a.value, b.value]).toEqual([42, 42]))
})

test('[S10] a removed key, or one set to undefined, shows the default again', async () => {
  const server = await serve()
  const { result } = mount(server.url, () => ({
    name: useRealtimeState('name', 'nobody'),
    maybe: useRealtimeState<string | null>('maybe'),
  }))
  await result.name.set('Ada')
  expect(result.name.value).toBe('Ada')
  await result.name.remove()
  expect(result.name.value).toBe('nobody')
  expect(result.maybe.value).toBe(undefined)
  await result.maybe.set(null)
  expect(result.maybe.value).toBe(null)
  result.maybe.value = undefined
  expect(result.maybe.value).toBe(undefined)
  await result.maybe.sync()
  expect(await server.realtime.state.get('maybe')).toMatchObject({ removed: true })
})

test('[S9] update receives a copy, so that modifying the argument is harmless', async () => {
  const server = await serve()
  await server.realtime.state.set('list', [1])
  const { result: list } = mount(server.url, () => useRealtimeState<number[]>('list', []))
  await eventually(() => expect(list.value).toEqual([1]))
  await server.realtime.state.set('list', [1, 2])
  await list.update((items) => {
    items.push(3)
    return items
  })
  expect(list.value).toEqual([1, 2, 3])
  expect(await server.realtime.state.get('list')).toMatchObject({ value: [1, 2, 3] })
})

test('[S15] components share one subscription of a key; unmounting the last ends it', async () => {
  const server = await serve()
  const shown = ref(2)
  const Count = { setup: () => ({ count: useRealtimeState('count', 0) }), template: '<b>{{ count }}</b>' }
  const { element } = mount(server.url, () => ({ shown, Count }), '<component :is="Count" v-for="n in shown" :key="n" />')
  await eventually(() => expect(server.of('storage:subscribe')).toEqual([{ keys: [{ key: 'count' }] }]))
  shown.value = 3
  await server.realtime.state.set('count', 4)
  await eventually(() => expect(element.textContent).toBe('444'))
  shown.value = 1
  await nextTick()
  expect(server.of('storage:unsubscribe')).toEqual([])
  shown.value = 0
  await eventually(() => expect(server.of('storage:unsubscribe')).toEqual([{ keys: [{ key: 'count' }] }]))
  expect(server.of('storage:subscribe')).toHaveLength(1)
})

test('[S15] an assignment shows at once in the other components', async () => {
  const server = await serve()
  const { result } = mount(server.url, () => [useRealtimeState('count', 0), useRealtimeState('count', 0)] as const)
  result[0].value = 3
  expect(result[1].value).toBe(3)
})

test('[S16] a manual state keeps changes until sync, a debounced one until a pause', async () => {
  const server = await serve()
  const { result } = mount(server.url, () => ({
    form: useRealtimeState('form', { name: '' }, { strategy: 'manual' }),
    search: useRealtimeState('search', { text: '' }, { strategy: 'debounced', debounceMs: 100 }),
    seen: useRealtimeState('search', { text: '' }),
  }))
  await eventually(() => expect(result.form.loading.value).toBe(false))
  result.form.value.name = 'Ada'
  await nextTick()
  expect(result.form.isDirty.value).toBe(true)
  for (const text of ['a', 'ab', 'abc']) {
    result.search.value.text = text
    await nextTick()
  }
  expect(result.seen.value).toEqual({ text: 'abc' })
  await eventually(() => expect(server.realtime.state.get('search')).resolves.toMatchObject({ value: { text: 'abc' } }))
  expect(await server.realtime.state.get('form')).toMatchObject({ removed: true })
  await result.form.sync()
  expect(result.form.isDirty.value).toBe(false)
  expect(await server.realtime.state.get('form')).toMatchObject({ value: { name: 'Ada' } })
})

test('[S16] sync includes changes in place made just before', async () => {
  const server = await serve()
  const { result: form } = mount(server.url, () => useRealtimeState('form', { name: '' }, { strategy: 'manual' }))
  form.value.name = 'Ada'
  await form.sync()
  expect(await server.realtime.state.get('form')).toMatchObject({ value: { name: 'Ada' } })
})

test('[S16] changes in place are sent when the component is unmounted, not dropped', async () => {
  const server = await serve()
  const { result: form, unmount } = mount(server.url, () => useRealtimeState('form', { name: '' }))
  await eventually(() => expect(form.loading.value).toBe(false))
  form.value.name = 'Ada'
  unmount()
  await eventually(async () => expect(await server.realtime.state.get('form')).toMatchObject({ value: { name: 'Ada' } }))
  await eventually(() => expect(server.realtime.io.sockets.sockets.size).toBe(0))
})

test('[S2] a changed key is followed; unsent changes go to the old one', async () => {
  const server = await serve()
  await server.realtime.state.set('poll:2', { votes: 2 })
  const id = ref(1)
  const { result } = mount(server.url, () => {
    const poll = useRealtimeState(() => `poll:${id.value}`, { votes: 0 })
    return { poll, votes: computed(() => poll.value.votes) }
  })
  await eventually(() => expect(result.poll.loading.value).toBe(false))
  const before = result.poll.value
  before.votes = 10
  id.value = 2
  expect([result.votes.value, result.poll.loading.value]).toEqual([0, true])
  await eventually(() => expect(result.votes.value).toBe(2))
  expect(before.votes).toBe(10)
  await eventually(async () => expect(await server.realtime.state.get('poll:1')).toMatchObject({ value: { votes: 10 } }))
  expect(await server.realtime.state.get('poll:2')).toMatchObject({ value: { votes: 2 } })
  await eventually(() => expect(server.of('storage:unsubscribe')).toEqual([{ keys: [{ key: 'poll:1' }] }]))
})

test('[S19] an invalid key is refused at once, also outside of a component', async () => {
  const app = createApp({}).use(createRealtime({ url: 'http://127.0.0.1:1' }))
  app.runWithContext(() => {
    expect(() => useRealtimeState('a/b', 0)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  })
})

test('without the plugin a composable throws with instructions', () => {
  expect(() => useRealtimeState('count', 0)).toThrow('createRealtime')
})
