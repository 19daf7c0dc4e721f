// @vitest-environment happy-dom
import { collection } from '@tutti/client/collection'
import { eventually } from '@tutti/test-kit'
import { useRealtimeState } from '@tutti/vue'
import { useRealtimeCollection, type RealtimeCollection } from '@tutti/vue/collection'
import { expect, test } from 'vitest'
import { computed, nextTick, ref, watch } from 'vue'
import { mount, serve } from './serve.ts'

type Todo = {
  text: string
  done: boolean
  tags?: string[]
}

const milk: Todo = { text: 'Milk', done: false }
const bread: Todo = { text: 'Bread', done: false }
const shown = <T>({ items }: RealtimeCollection<T>): unknown[] => items.value.map(({ value }) => value)
const TEMPLATE = '<ul><li v-for="{ key, value } in todos.items.value" :key="key">{{ value.text }} {{ value.done }}</li></ul>'

test('[S17] changes of one browser are shown by the other, in the same order', async () => {
  const server = await serve()
  const { result: a } = mount(server.url, () => useRealtimeCollection<Todo>('todos:'))
  const { result: b, element } = mount(server.url, () => ({ todos: useRealtimeCollection<Todo>('todos:') }), TEMPLATE)
  const key = a.add(milk)
  const second = a.add(bread)
  expect(shown(a)).toEqual([milk, bread])
  await eventually(() => expect(element.textContent).toBe('Milk falseBread false'))
  void b.todos.patch(key, { done: true })
  void b.todos.remove(second)
  await eventually(() => expect(shown(a)).toEqual([{ text: 'Milk', done: true }]))
  await b.todos.set('todos:0', { text: 'First', done: false })
  await nextTick()
  expect(element.textContent).toBe('First falseMilk true')
})

test('[S17] loading, pending, version and error show the progress', async () => {
  const server = await serve()
  const { result: todos } = mount(server.url, () => useRealtimeCollection<number>('numbers:'))
  const state = () => [todos.loading.value, todos.pending.value, todos.hasMore.value, todos.error.value]
  expect(state()).toEqual([true, false, false, undefined])
  await eventually(() => expect(state()).toEqual([false, false, false, undefined]))
  todos.add(1)
  const [item] = todos.items.value
  expect([item?.pending, item?.version, todos.pending.value]).toEqual([true, 0, true])
  await eventually(() => expect([item?.pending, todos.pending.value]).toEqual([false, false]))
  expect(item?.version).toBeGreaterThan(0)
  await expect(todos.set('elsewhere', 1)).rejects.toMatchObject({ code: 'INVALID_KEY' })
  expect(todos.error.value).toMatchObject({ code: 'INVALID_KEY' })
})

test('[S17] loadMore loads entries beyond the limit', async () => {
  const server = await serve()
  for (let place = 1000; place < 2100; place++) void server.realtime.state.set(`numbers:${place}`, place)
  await server.realtime.state.set('numbers:2100', 2100)
  const { result: numbers } = mount(server.url, () => useRealtimeCollection<number>('numbers:', { limit: 10 }))
  await eventually(() => expect(numbers.loading.value).toBe(false))
  expect(numbers.hasMore.value).toBe(true)
  numbers.loadMore()
  await eventually(() => expect(numbers.items.value).toHaveLength(1101))
  expect(numbers.hasMore.value).toBe(false)
})

test("[S8] changes inside items are sent once per tick, and others' changes are kept", async () => {
  const server = await serve()
  await server.realtime.state.set('todos:1', milk)
  const { result: a } = mount(server.url, () => useRealtimeCollection<Todo>('todos:'))
  const { result: b } = mount(server.url, () => useRealtimeCollection<Todo>('todos:'))
  await eventually(() => expect([shown(a), shown(b)]).toEqual([[milk], [milk]]))
  const [mine, theirs] = [a.items.value[0], b.items.value[0]]
  if (!mine || !theirs) throw new Error('nothing is shown')
  mine.value.done = true
  mine.value.tags = ['cold']
  mine.value.tags.push('white')
  theirs.value.text = 'Oat milk'
  expect(server.of('storage:set')).toEqual([])
  const both = { text: 'Oat milk', done: true, tags: ['cold', 'white'] }
  await eventually(() => expect([shown(a), shown(b)]).toEqual([[both], [both]]))
  expect(await server.realtime.state.get('todos:1')).toMatchObject({ value: both })
  expect([a.items.value[0], b.items.value[0]]).toEqual([mine, theirs])
  mine.value = bread
  await eventually(() => expect(shown(b)).toEqual([bread]))
})

test('[S9] a change inside a removed item does not restore it', async () => {
  const server = await serve()
  await server.realtime.state.set('todos:1', milk)
  const { result } = mount(server.url, () => ({ todos: useRealtimeCollection<Todo>('todos:'), count: useRealtimeState('count', 0) }))
  await eventually(() => expect(shown(result.todos)).toEqual([milk]))
  const [item] = result.todos.items.value
  if (!item) throw new Error('nothing is shown')
  const removed = server.realtime.state.remove('todos:1')
  item.value.done = true
  await removed
  await eventually(() => expect([result.todos.items.value, result.todos.pending.value]).toEqual([[], false]))
  expect(await server.realtime.state.get('todos:1')).toMatchObject({ removed: true })
  const before = server.of('storage:set')
  item.value.done = false
  item.value = bread
  await result.count.increment()
  await eventually(() => expect([server.of('storage:increment').length, result.todos.pending.value]).toEqual([1, false]))
  expect(server.of('storage:set')).toEqual(before)
  expect(await server.realtime.state.get('todos:1')).toMatchObject({ removed: true })
})

test('[S13] a refused change inside an item is reverted, with the reason', async () => {
  const server = await serve()
  const { result: todos } = mount(server.url, () => useRealtimeCollection<Todo>('todos:'))
  await todos.set('todos:1', milk)
  const [item] = todos.items.value
  if (!item) throw new Error('nothing is shown')
  Object.assign(item.value, { text: 1n })
  await nextTick()
  expect(item.value).toEqual(milk)
  expect(todos.error.value).toMatchObject({ code: 'INVALID_VALUE' })
  item.value.done = true
  await nextTick()
  expect(todos.error.value).toBe(undefined)
})

test('[S9] update receives a copy of the newest value with pending changes in place', async () => {
  const server = await serve()
  const { result: todos } = mount(server.url, () => useRealtimeCollection<Todo>('todos:'))
  await todos.set('todos:1', { ...milk, tags: ['a'] })
  const [item] = todos.items.value
  if (!item) throw new Error('nothing is shown')
  item.value.text = 'Butter'
  await todos.update('todos:1', (value) => {
    value?.tags?.push('b')
    return value
  })
  expect(shown(todos)).toEqual([{ text: 'Butter', done: false, tags: ['a', 'b'] }])
})

test('[S8] changes in place precede later operations of the same tick', async () => {
  const server = await serve()
  const { result } = mount(server.url, () => ({
    todos: useRealtimeCollection<Todo>('todos:'),
    one: useRealtimeState<Todo>('todos:1', milk),
  }))
  await result.todos.set('todos:1', milk)
  const [item] = result.todos.items.value
  if (!item) throw new Error('nothing is shown')
  item.value.done = true
  await result.one.patch({ text: 'Butter' })
  await eventually(() => expect([shown(result.todos), result.todos.pending.value]).toEqual([[{ text: 'Butter', done: true }], false]))
  item.value.text = 'Cheese'
  await result.todos.set('todos:1', bread)
  await eventually(() => expect([shown(result.todos), result.todos.pending.value]).toEqual([[bread], false]))
})

test('[S17] only differences are created anew: other items stay the same objects', async () => {
  const server = await serve()
  const { result: todos } = mount(server.url, () => useRealtimeCollection<Todo>('todos:'))
  const first = todos.add(milk)
  todos.add(bread)
  const [item, other] = todos.items.value
  const value = item?.value
  let looks = 0
  const text = computed(() => {
    looks++
    return other?.value.text
  })
  let lists = 0
  watch(todos.items, () => lists++, { flush: 'sync' })
  expect(text.value).toBe('Bread')
  await todos.patch(first, { done: true })
  expect([text.value, looks, lists]).toEqual(['Bread', 1, 0])
  expect(todos.items.value[0]).toBe(item)
  expect(item?.value).toBe(value)
  expect(value?.done).toBe(true)
})

test('[S17] a changed prefix is followed, and unsent changes go to the old one', async () => {
  const server = await serve()
  await server.realtime.state.set('a:1', milk)
  await server.realtime.state.set('b:1', bread)
  const name = ref('a')
  const { result: todos } = mount(server.url, () => useRealtimeCollection<Todo>(() => `${name.value}:`))
  await eventually(() => expect(shown(todos)).toEqual([milk]))
  const [item] = todos.items.value
  if (item) item.value.done = true
  name.value = 'b'
  await eventually(() => expect(shown(todos)).toEqual([bread]))
  await eventually(async () => expect(await server.realtime.state.get('a:1')).toMatchObject({ value: { done: true } }))
  await eventually(() => expect(server.of('storage:unsubscribe')).toEqual([{ prefix: 'a:' }]))
})

test('[S15] a collection ends with its component, and changes in place are sent', async () => {
  const server = await serve()
  const { result: todos, unmount } = mount(server.url, () => useRealtimeCollection<Todo>('todos:'))
  await todos.set('todos:1', milk)
  const [item] = todos.items.value
  if (item) item.value.done = true
  unmount()
  await eventually(async () => expect(await server.realtime.state.get('todos:1')).toMatchObject({ value: { done: true } }))
  await expect(todos.set('todos:1', milk)).rejects.toMatchObject({ code: 'CLOSED' })
})

test('[S15] states, collections and clients show each other’s changes', async () => {
  const server = await serve()
  const { result } = mount(server.url, () => ({
    todos: useRealtimeCollection<Todo>('todos:'),
    one: useRealtimeState<Todo>('todos:1', milk),
  }))
  result.one.value = bread
  expect(shown(result.todos)).toEqual([bread])
  const [item] = result.todos.items.value
  if (item) item.value.done = true
  await nextTick()
  expect(result.one.value).toEqual({ text: 'Bread', done: true })
  const other = collection<Todo>(server.connect(), 'todos:')
  await eventually(() => expect(other.current.items.map(({ value }) => value)).toEqual([{ text: 'Bread', done: true }]))
})
