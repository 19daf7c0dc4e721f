// @vitest-environment happy-dom
import { eventually } from '@tutti/test-kit'
import { useRealtime, useRealtimeState, type RealtimeState } from '@tutti/vue'
import { expect, test } from 'vitest'
import { isReactive, nextTick } from 'vue'
import { mount, serve, type Served } from './serve.ts'

interface Poll {
  title: string
  tabs: number
  list: { id: number; text: string; done?: boolean }[]
  due?: string | null
  about?: { [name: string]: string }
}

const poll: Poll = { title: 'Indent?', tabs: 1, list: [] }

/** A loaded poll in one browser. */
async function openPoll(server: Served, stored: Poll | undefined = poll): Promise<RealtimeState<Poll>> {
  if (stored) await server.realtime.state.set('poll', structuredClone(stored) as never)
  const { result } = mount(server.url, () => useRealtimeState<Poll>('poll', { title: '', tabs: 0, list: [] }))
  await eventually(() => expect(result.loading.value).toBe(false))
  return result
}

const storedPoll = async (server: Served): Promise<unknown> => {
  const entry = await server.realtime.state.get('poll')
  return 'value' in entry ? entry.value : undefined
}

test('[S8] the changes of one tick are sent as one patch of the differences', async () => {
  const server = await serve()
  const state = await openPoll(server)
  state.value.tabs++
  state.value.tabs++
  state.value.list.push({ id: 1, text: 'Yes' })
  delete state.value.due
  expect(state.value).toEqual({ title: 'Indent?', tabs: 3, list: [{ id: 1, text: 'Yes' }] })
  await nextTick()
  expect(state.pending.value).toBe(true)
  await state.sync()
  expect(server.of('storage:patch')).toMatchObject([{ key: 'poll', patch: { tabs: 3, list: [{ id: 1, text: 'Yes' }] } }])
  expect(Object.keys((server.of('storage:patch')[0] as { patch: object }).patch)).toEqual(['tabs', 'list'])
  expect(await storedPoll(server)).toEqual({ title: 'Indent?', tabs: 3, list: [{ id: 1, text: 'Yes' }] })
})

test('[S8] a form bound by v-model keeps concurrent changes of its other fields', async () => {
  const server = await serve()
  await server.realtime.state.set('form', { name: '', town: '' })
  const template = '<input id="name" v-model="form.name"><input id="town" v-model="form.town">'
  const a = mount(server.url, () => ({ form: useRealtimeState('form', { name: '', town: '' }) }), template)
  const b = mount(server.url, () => ({ form: useRealtimeState('form', { name: '', town: '' }) }), template)
  await eventually(() => expect([a, b].map(({ result }) => result.form.loading.value)).toEqual([false, false]))
  const type = ({ element }: { element: HTMLElement }, id: string, text: string): void => {
    const input = element.querySelector<HTMLInputElement>(`#${id}`)
    if (!input) throw new Error('no input')
    input.value = text
    input.dispatchEvent(new Event('input'))
  }
  type(a, 'name', 'Ada')
  type(b, 'town', 'London')
  const both = { name: 'Ada', town: 'London' }
  await eventually(() => expect([a.result.form.value, b.result.form.value]).toEqual([both, both]))
  await nextTick()
  expect(b.element.querySelector<HTMLInputElement>('#name')?.value).toBe('Ada')
  expect(server.of('storage:set')).toEqual([])
})

test("[S8] others' changes in the tick of a local change are kept", async () => {
  const server = await serve()
  await server.realtime.state.set('poll', { title: 'Indent?', tabs: 1 })
  const { result: state } = mount(server.url, () => {
    // Receives the update before the state.
    const handle = useRealtime<object>().state<{ title: string }>('poll')
    const state = useRealtimeState('poll', { title: '', tabs: 0 })
    handle.subscribe(({ value }) => {
      if (value?.title === 'Tabs?' && state.value.title !== 'Tabs?') state.value.tabs = 9
    })
    return state
  })
  await eventually(() => expect(state.value.title).toBe('Indent?'))
  await server.realtime.state.patch('poll', { title: 'Tabs?' })
  await eventually(async () => expect(await server.realtime.state.get('poll')).toMatchObject({ value: { title: 'Tabs?', tabs: 9 } }))
  await state.sync()
  expect(state.value).toEqual({ title: 'Tabs?', tabs: 9 })
  expect(server.of('storage:patch')).toMatchObject([{ patch: { tabs: 9 } }])
})

test("[S8] a null property is sent as an update, and others' changes are kept", async () => {
  const server = await serve()
  const state = await openPoll(server)
  const other = server.connect().state<Poll>('poll')
  await other.patch({ title: 'Tabs?' })
  state.value.due = null
  await state.sync()
  expect(await storedPoll(server)).toEqual({ ...poll, title: 'Tabs?', due: null })
  expect(server.of('storage:patch')).toHaveLength(1)
})

test('[S8] if nothing is stored, the first change of the default stores all of it', async () => {
  const server = await serve()
  const { result: state } = mount(server.url, () => useRealtimeState<Poll>('poll', poll))
  // Before it is loaded.
  state.value.tabs++
  await state.sync()
  expect(await storedPoll(server)).toEqual({ ...poll, tabs: 2 })
  expect(poll.tabs).toBe(1)
})

test('[S8] a change of the default of a key that turns out to exist merges into it', async () => {
  const server = await serve()
  await server.realtime.state.set('poll', { title: 'Theirs', tabs: 5, list: [] })
  const { result: state } = mount(server.url, () => useRealtimeState<Poll>('poll', poll))
  state.value.about = { by: 'me' }
  await state.sync()
  expect(await storedPoll(server)).toEqual({ title: 'Theirs', tabs: 5, list: [], about: { by: 'me' } })
})

test('[S8] a patch of an absent key merges into the default, and is stored complete', async () => {
  const server = await serve()
  const { result } = mount(server.url, () => ({
    poll: useRealtimeState<Poll>('poll', poll),
    bare: useRealtimeState<Poll>('bare'),
  }))
  await Promise.all([result.poll.patch({ tabs: 5 }), result.bare.patch({ tabs: 5 })])
  expect(await storedPoll(server)).toEqual({ ...poll, tabs: 5 })
  expect(result.bare.value).toEqual({ tabs: 5 })
  await result.poll.patch({ title: 'Tabs?' })
  expect(server.of('storage:patch')).toMatchObject([{ key: 'bare' }, { key: 'poll', patch: { title: 'Tabs?' } }])
})

test('[S8] a list as a whole value is changed in place as well', async () => {
  const server = await serve()
  const { result: list } = mount(server.url, () => useRealtimeState<number[]>('list', [3, 2]))
  list.value.push(1)
  list.value.reverse()
  await list.sync()
  expect(await server.realtime.state.get('list')).toMatchObject({ value: [1, 2, 3] })
})

test('[S8] an undefined property is omitted', async () => {
  const server = await serve()
  const state = await openPoll(server, { ...poll, due: 'today' })
  Object.assign(state.value, { due: undefined })
  await state.sync()
  expect(await storedPoll(server)).toEqual(poll)
})

test('[S13] a value that is not JSON is refused, reverted and reported', async () => {
  const server = await serve()
  const state = await openPoll(server)
  Object.assign(state.value, { due: new Date(0) })
  await nextTick()
  expect(state.error.value).toMatchObject({ code: 'INVALID_VALUE' })
  expect(state.value).toEqual(poll)
  const loop: { self?: object } = {}
  loop.self = loop
  Object.assign(state.value, { about: loop })
  await expect(state.sync()).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  expect(state.value).toEqual(poll)
  state.value.tabs = 2
  await state.sync()
  expect(state.error.value).toBe(undefined)
  expect(await storedPoll(server)).toEqual({ ...poll, tabs: 2 })
})

test('[S13] objects stay the same while others change the list around them', async () => {
  const server = await serve()
  const list = [1, 2, 3].map((id) => ({ id, text: `item ${id}` }))
  const state = await openPoll(server, { ...poll, list })
  const kept = state.value.list[1]
  if (!kept) throw new Error('no item')
  expect(isReactive(kept)).toBe(true)
  const other = server.connect().state<Poll>('poll')
  await other.patch({ list: [{ id: 0, text: 'first' }, ...list] })
  await eventually(() => expect(state.value.list).toHaveLength(4))
  expect(state.value.list[2]).toBe(kept)
  kept.done = true
  await state.sync()
  expect(await storedPoll(server)).toMatchObject({ list: [{ id: 0 }, { id: 1 }, { id: 2, done: true }, { id: 3 }] })
  // Changed by another client it is the same object; replaced by another one it is not.
  await other.patch({ list: [{ id: 0, text: 'first' }, list[0], { id: 2, text: 'other' }, list[2]] as never })
  await eventually(() => expect(kept.text).toBe('other'))
  expect(kept).toEqual({ id: 2, text: 'other' })
  await other.patch({ list: [{ id: 0, text: 'first' }, list[0], { id: 9, text: 'nine' }, list[2]] as never })
  await eventually(() => expect(state.value.list[2]?.id).toBe(9))
  expect(kept.id).toBe(2)
  kept.text = 'gone'
  await state.sync()
  expect(state.value.list[2]?.text).toBe('nine')
})

test('[S13] an object used in two places becomes two', async () => {
  const server = await serve()
  const state = await openPoll(server)
  const item = { id: 1, text: 'same' }
  state.value.list.push(item, item)
  await state.sync()
  const [first, second] = state.value.list
  if (!first || !second) throw new Error('no items')
  first.text = 'other'
  await state.sync()
  expect(await storedPoll(server)).toMatchObject({ list: [{ text: 'other' }, { text: 'same' }] })
})

test('[S13] an object moved to another state belongs to one of them only', async () => {
  const server = await serve()
  const { result } = mount(server.url, () => ({
    a: useRealtimeState<{ item: { n: number } }>('a', { item: { n: 1 } }),
    b: useRealtimeState<{ item?: { n: number } }>('b', {}),
  }))
  result.b.value.item = result.a.value.item
  await Promise.all([result.a.sync(), result.b.sync()])
  result.a.value.item.n = 2
  await Promise.all([result.a.sync(), result.b.sync()])
  expect(await server.realtime.state.get('a')).toMatchObject({ value: { item: { n: 2 } } })
  expect(await server.realtime.state.get('b')).toMatchObject({ value: { item: { n: 1 } } })
})

test('[S4] properties have the same order in all clients', async () => {
  const server = await serve()
  const state = await openPoll(server, { ...poll, about: {} })
  const other = server.connect().state<Poll>('poll')
  await eventually(() => expect(other.current.loading).toBe(false))
  // Shown here before the other client's change, stored after it.
  server.connect()
  await other.patch({ about: { x: 'theirs' } })
  state.value.about = { y: 'mine', x: 'theirs' }
  await state.sync()
  await other.patch({ about: { x: null } })
  await other.patch({ about: { x: 'again' } })
  await eventually(() => expect(Object.keys(state.value.about ?? {})).toEqual(Object.keys(other.current.value?.about ?? {})))
  expect(Object.keys(state.value.about ?? {})).toEqual(['y', 'x'])
})
