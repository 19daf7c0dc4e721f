// @vitest-environment happy-dom
import { roomKey } from '@tutti/protocol'
import { rules } from '@tutti/server'
import { eventually } from '@tutti/test-kit'
import { createRealtime, useRealtimeState } from '@tutti/vue'
import { useRealtimeMessages } from '@tutti/vue/messages'
import { useRealtimeRoom } from '@tutti/vue/room'
import { expect, test } from 'vitest'
import { createSSRApp, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { mount, serve } from './serve.ts'

test('[R1] a component is in its room, and receives its messages, until it ends', async () => {
  const { url, realtime } = await serve()
  const received: unknown[] = []
  const all: unknown[] = []
  const { result, unmount } = mount(url, () => {
    const joined = useRealtimeRoom('proj')
    joined.subscribe('saved', (data, { name, room }) => received.push([data, name, room]))
    useRealtimeMessages().subscribe('*', (data) => all.push(data))
    return joined
  })
  expect([result.joined.value, result.loading.value]).toEqual([false, true])
  await eventually(() => expect([result.joined.value, result.loading.value]).toEqual([true, false]))
  await realtime.rooms.broadcast('proj', 'saved', 1)
  await realtime.rooms.broadcast('other', 'saved', 2)
  await realtime.broadcast('saved', 3)
  await eventually(() => expect(all).toEqual([1, 3]))
  expect(received).toEqual([[1, 'saved', 'proj']])
  unmount()
  await eventually(async () => expect((await realtime.rooms.list()).results).toEqual([]))
})

test('[R1] a changed room and a changed name of a message are followed', async () => {
  const { url, realtime } = await serve()
  const [name, message] = [ref('a'), ref('x')]
  const received: unknown[] = []
  const all: unknown[] = []
  const { result } = mount(url, () => {
    const joined = useRealtimeRoom(name)
    joined.subscribe(message, (data) => received.push(data))
    useRealtimeMessages().subscribe(message, (data) => all.push(data))
    return joined
  })
  await eventually(() => expect(result.joined.value).toBe(true))
  name.value = 'b'
  expect(result.joined.value).toBe(false)
  await eventually(async () => expect((await realtime.rooms.list()).results).toEqual([{ room: 'b', connections: 1 }]))
  await realtime.rooms.broadcast('b', 'x', 1)
  await eventually(() => expect([received, all]).toEqual([[1], [1]]))
  message.value = 'y'
  await realtime.rooms.broadcast('b', 'x', 2)
  await realtime.rooms.broadcast('b', 'y', 3)
  await eventually(() =>
    expect([received, all]).toEqual([
      [1, 3],
      [1, 3],
    ]),
  )
})

test('[R3] key names the keys of the current room', async () => {
  const { url, realtime } = await serve()
  const name = ref('proj')
  const { result } = mount(url, () => {
    const { key } = useRealtimeRoom(name)
    return { key, title: useRealtimeState(() => key('title'), '') }
  })
  await result.title.set('first')
  name.value = 'proj:1'
  await result.title.set('second')
  const stored = await realtime.state.read([roomKey('proj', 'title'), roomKey('proj:1', 'title')])
  expect(stored).toMatchObject([{ value: 'first' }, { value: 'second' }])
  expect(result.key('todos:')).toBe('room:2:proj:1:todos:')
})

test('[X2] a room that may not be joined shows its error', async () => {
  const { url } = await serve({ authenticate: () => ({ id: 'ann' }), authorize: rules({}) })
  const { result } = mount(url, () => useRealtimeRoom('proj'))
  await eventually(() => expect(result.error.value).toMatchObject({ code: 'FORBIDDEN' }))
  expect([result.joined.value, result.loading.value]).toEqual([false, false])
})

test('[R1] a page rendered on a server joins nothing and is loading', async () => {
  const setup = () => {
    const { joined, loading, error, key, subscribe } = useRealtimeRoom('proj')
    for (const each of [subscribe, useRealtimeMessages().subscribe]) each('x', () => {})()
    return { joined, loading, error, title: key('title') }
  }
  const app = createSSRApp({ setup, template: '{{ joined }} {{ loading }} {{ error }} {{ title }}' })
  expect(await renderToString(app.use(createRealtime({ read: async () => [] })))).toBe('false true  room:1:proj:title')
})

test('[X9] misuse of rooms and messages throws at once', async () => {
  const { url } = await serve()
  mount(url, () => {
    expect(() => useRealtimeRoom('a*')).toThrow(expect.objectContaining({ code: 'INVALID_ROOM' }))
    expect(() => useRealtimeMessages().subscribe('a*', () => {})).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
    return {}
  })
})
