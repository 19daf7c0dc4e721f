// @vitest-environment happy-dom
import { eventually } from '@tutti/test-kit'
import { createRealtime, useRealtimeEvents } from '@tutti/vue'
import { expect, test } from 'vitest'
import { createApp, effectScope, nextTick, ref } from 'vue'
import { mount, serve } from './serve.ts'

interface Chat {
  [channel: `chat:${string}`]: { text: string }
}

/** Settles when everything that was published before has arrived. */
const subscribed = (server: { of(name: string): unknown[] }, ...channels: string[]): Promise<void> =>
  eventually(() => expect(server.of('event:subscribe')).toEqual(channels.map((channel) => ({ channel }))))

test('[E3] a component receives the channels of its pattern, with their names', async () => {
  const server = await serve()
  const received: string[] = []
  mount(server.url, () => useRealtimeEvents<Chat>().subscribe('chat:*', ({ text }, { channel }) => received.push(`${channel} ${text}`)))
  const { result: other } = mount(server.url, () => useRealtimeEvents<Chat>())
  await subscribed(server, 'chat:*')
  await eventually(() => other.publish('chat:room1', { text: 'one' }))
  await other.publish('chat:room2', { text: 'two' })
  await eventually(() => expect(received).toEqual(['chat:room1 one', 'chat:room2 two']))
})

test('[E2] includeSelf applies to a component, or to one event', async () => {
  const server = await serve()
  const received: string[] = []
  const { result } = mount(server.url, () => {
    const loud = useRealtimeEvents<Chat>({ includeSelf: true })
    loud.subscribe('chat:room1', ({ text }) => received.push(text))
    return { loud, quiet: useRealtimeEvents<Chat>() }
  })
  await subscribed(server, 'chat:room1')
  await result.quiet.publish('chat:room1', { text: 'quiet' })
  await result.quiet.publish('chat:room1', { text: 'quiet, but once' }, { includeSelf: true })
  await result.loud.publish('chat:room1', { text: 'loud, but once' }, { includeSelf: false })
  await result.loud.publish('chat:room1', { text: 'loud' })
  await eventually(() => expect(received).toEqual(['quiet, but once', 'loud']))
})

test('[E5] a changed channel is followed, and ends with its component', async () => {
  const server = await serve()
  const room = ref('room1')
  const received: unknown[] = []
  const { unmount } = mount(server.url, () => {
    useRealtimeEvents().subscribe(
      () => `chat:${room.value}`,
      (data) => received.push(data),
    )
    useRealtimeEvents().subscribe('news', () => {})
    return {}
  })
  await subscribed(server, 'chat:room1', 'news')
  room.value = 'room2'
  await eventually(() => expect(server.of('event:unsubscribe')).toEqual([{ channel: 'chat:room1' }]))
  await subscribed(server, 'chat:room1', 'news', 'chat:room2')
  await server.realtime.events.publish('chat:room1', 1)
  await server.realtime.events.publish('chat:room2', 2)
  await eventually(() => expect(received).toEqual([2]))
  unmount()
  await eventually(() => expect(server.realtime.io.sockets.sockets.size).toBe(0))
})

test('[E5] a scope ends all its subscriptions, including late and removed ones', async () => {
  const server = await serve()
  const realtime = createRealtime({ client: server.connect() })
  const app = createApp({}).use(realtime)
  const scope = effectScope()
  const events = app.runWithContext(() => scope.run(() => useRealtimeEvents()))
  const undo = events?.subscribe('a', () => {})
  await nextTick()
  events?.subscribe('b', () => {})
  await subscribed(server, 'a', 'b')
  undo?.()
  await eventually(() => expect(server.of('event:unsubscribe')).toEqual([{ channel: 'a' }]))
  scope.stop()
  await eventually(() => expect(server.of('event:unsubscribe')).toEqual([{ channel: 'a' }, { channel: 'b' }]))
  events?.subscribe('c', () => {})
  events?.subscribe('b', () => {})
  await realtime.client.events.publish('c', 1)
  expect(server.of('event:subscribe')).toHaveLength(2)
})

test('[E3] an invalid name is refused at once', async () => {
  const app = createApp({}).use(createRealtime({ url: 'http://127.0.0.1:1' }))
  const { subscribe } = app.runWithContext(() => useRealtimeEvents())
  expect(() => subscribe('a*b', () => {})).toThrow(expect.objectContaining({ code: 'INVALID_CHANNEL' }))
})
