// @vitest-environment happy-dom
import { eventually } from '@tutti/test-kit'
import { createRealtime, useRealtime, useRealtimeConnection, useRealtimeState } from '@tutti/vue'
import { expect, test } from 'vitest'
import { createApp, effectScope, h, nextTick } from 'vue'
import { mount, serve } from './serve.ts'

const Empty = { render: () => h('i') }

test('[C1] the status follows the connection, and can be switched', async () => {
  const server = await serve()
  const { result, element } = mount(server.url, () => useRealtimeConnection(), '<p>{{ status }} {{ instance }}</p>')
  expect(element.textContent).toBe('connecting ')
  await eventually(() => expect(result.status.value).toBe('connected'))
  await nextTick()
  expect(element.textContent).toBe(`connected ${server.realtime.instanceId}`)
  result.disconnect()
  expect([result.status.value, result.instance.value]).toEqual(['offline', undefined])
  result.connect()
  expect(result.status.value).toBe('reconnecting')
  await eventually(() => expect(result.status.value).toBe('connected'))
  expect([result.attempt.value, result.reason.value, result.degraded.value]).toEqual([0, undefined, false])
})

test('[C1] the reason of a missing connection is shown', async () => {
  const { result } = mount('http://127.0.0.1:1', () => useRealtimeConnection())
  await eventually(() => expect(result.status.value).toBe('reconnecting'))
  expect(result.reason.value).toMatchObject({ code: 'UNAVAILABLE' })
  expect(result.attempt.value).toBeGreaterThan(0)
})

test('[C5] its own client closes with the last application, after the components', async () => {
  const server = await serve()
  const realtime = createRealtime({ url: server.url })
  const [first, second] = [0, 1].map(() => createApp(Empty).use(realtime))
  for (const app of [first, second]) app?.mount(document.createElement('div'))
  await eventually(() => expect(realtime.client.connection.current.status).toBe('connected'))
  first?.unmount()
  await nextTick()
  expect(realtime.client.connection.current.status).toBe('connected')
  second?.unmount()
  await eventually(() => expect(realtime.client.connection.current.status).toBe('closed'))
})

test('[C5] a plugin mounted again after its last application gets a new client', async () => {
  const server = await serve()
  const realtime = createRealtime({ url: server.url })
  const first = realtime.client
  const shown: string[] = []
  for (const round of ['one', 'two', 'three']) {
    const Count = {
      setup: () => {
        const text = useRealtimeState('text', '')
        return () => h('b', text.value)
      },
    }
    const element = document.createElement('div')
    const app = createApp(Count).use(realtime)
    app.mount(element)
    await server.realtime.state.set('text', round)
    await eventually(() => expect(element.textContent).toBe(round))
    shown.push(realtime.client.clientId)
    app.unmount()
    await eventually(() => expect(realtime.client.connection.current.status).toBe('closed'))
  }
  expect([shown[0], new Set(shown).size]).toEqual([first.clientId, 3])
  // If the next application is mounted in the same turn, the client stays.
  const [old, next] = [createApp(Empty).use(realtime), createApp(Empty)]
  old.mount(document.createElement('div'))
  const { client } = realtime
  old.unmount()
  next.use(realtime).mount(document.createElement('div'))
  await eventually(() => expect(client.connection.current.status).toBe('connected'))
  expect(realtime.client).toBe(client)
  next.unmount()
  await eventually(() => expect(server.realtime.io.sockets.sockets.size).toBe(0))
})

test('[C1] an unmounted component receives no more connection changes', async () => {
  const server = await serve()
  const client = server.connect()
  const app = createApp(Empty).use(createRealtime({ client }))
  const scope = effectScope()
  const connection = app.runWithContext(() => scope.run(() => useRealtimeConnection()))
  await eventually(() => expect(connection?.status.value).toBe('connected'))
  scope.stop()
  client.connection.disconnect()
  expect(client.connection.current.status).toBe('offline')
  expect(connection?.status.value).toBe('connected')
})

test('[C5] a client of the caller stays open', async () => {
  const server = await serve()
  const client = server.connect()
  const app = createApp({
    setup: () => {
      expect(useRealtime()).toBe(client)
      const count = useRealtimeState('count', 0)
      return () => h('b', count.value)
    },
  }).use(createRealtime({ client }))
  app.mount(document.createElement('div'))
  await eventually(() => expect(server.of('storage:subscribe')).toHaveLength(1))
  app.unmount()
  await eventually(() => expect(server.of('storage:unsubscribe')).toHaveLength(1))
  await nextTick()
  expect(client.connection.current.status).toBe('connected')
})

test('[S15] an application set up again, as with HMR, keeps its subscription', async () => {
  const server = await serve()
  const client = server.connect()
  const show = (): (() => void) => {
    const Count = { setup: () => ({ count: useRealtimeState('count', 0) }), template: '<b>{{ count }}</b>' }
    const app = createApp(Count).use(createRealtime({ client }))
    app.mount(document.createElement('div'))
    return () => app.unmount()
  }
  const before = show()
  await eventually(() => expect(server.of('storage:subscribe')).toHaveLength(1))
  before()
  show()
  await client.state<number>('count').set(1)
  expect(server.messages.map(({ name }) => name)).toEqual(['storage:subscribe', 'storage:set'])
})
