import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { MemoryPubSub } from '@tutti/pubsub'
import { reactiveDriver } from '@tutti/storage-driver'
import { eventually } from '@tutti/test-kit'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import memoryDriver from 'unstorage/drivers/memory'
import { expect, onTestFinished, test, vi } from 'vitest'
import { defineHandler } from '../src/connection/handler.ts'
import type { FeatureFactory } from '../src/feature.ts'
import { createRealtimeServer } from '../src/index.ts'
import { getSchema } from '@tutti/protocol/internal/schemas'
import { connectPlain, serve } from './serve.ts'

/** On a busy machine the steps of a test may take longer than the default, after which clients are disconnected without replies. */
const UNHURRIED = { drainMs: 120_000 }

test('[F5] a server without a pubsub works, and warns once that it is not synchronized', async () => {
  const warnings: string[] = []
  const served = await serve({ onWarning: (message) => warnings.push(message) })
  const [writer, watcher] = await Promise.all([served.connect(), served.connect()])
  await watcher.request('storage:subscribe', { keys: [{ key: 'k' }] })
  await writer.request('storage:set', { key: 'k', value: 1 })
  await eventually(() => expect(watcher.of('storage:updated')).toMatchObject([{ key: 'k', value: 1 }]))
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatch(/No `pubsub` configured: running as a single instance/)
  await served.close()
})

test('[F5] the warning is a process warning by default', async () => {
  const warned = once(process, 'warning')
  const served = await serve({ onWarning: undefined as never })
  const [warning] = (await warned) as [Error]
  expect(warning.name).toBe('TuttiWarning')
  await served.close()
})

test('[C5] close drains in order: connections, clients, replies, features, store', async () => {
  const steps: string[] = []
  let finish = (): void => {}
  const slow: FeatureFactory = () => ({
    name: 'slow',
    handlers: [
      defineHandler(
        'storage:get',
        getSchema,
        () => [],
        async ({ key }) => {
          steps.push('asked')
          await new Promise<void>((resolve) => {
            finish = resolve
          })
          return { key, version: 0, removed: true }
        },
      ),
    ],
    close: async () => void steps.push('feature closed'),
  })
  const pubsub = new MemoryPubSub()
  const state = reactiveDriver(memoryDriver())
  const disposed = { state: state.dispose.bind(state), pubsub: pubsub.dispose.bind(pubsub) }
  state.dispose = async () => {
    steps.push('store disposed')
    await disposed.state()
  }
  pubsub.dispose = async () => {
    steps.push('pubsub disposed')
    await disposed.pubsub()
  }
  const served = await serve({ state, pubsub, features: [slow], shutdown: { ...UNHURRIED, reconnectAfterMs: 7 } })
  const client = await served.connect()
  client.socket.on('server:draining', () => steps.push('draining told'))
  client.socket.on('disconnect', () => steps.push('disconnected'))
  const reply = client.request('storage:get', { key: 'k' }).then(() => steps.push('replied'))
  await eventually(() => expect(steps).toEqual(['asked']))
  const closed = Promise.all([served.realtime.close(), served.realtime.close()])
  await eventually(() => expect(client.of('server:draining')).toEqual([{ reconnectAfterMs: 7 }]))
  await expect(connectPlain(served.url)).rejects.toMatchObject({ data: { code: 'UNAVAILABLE', retryable: true } })
  finish()
  await Promise.all([closed, reply])
  await eventually(() => expect(steps).toContain('disconnected'))
  const onServer = ['asked', 'draining told', 'feature closed', 'store disposed', 'pubsub disposed']
  expect(steps.filter((step) => onServer.includes(step))).toEqual(onServer)
  expect(steps.indexOf('disconnected')).toBeGreaterThan(steps.indexOf('replied'))
  await served.close()
})

test('[C5] what arrives while others wait for their replies is answered too', async () => {
  const asked: (() => void)[] = []
  const slow: FeatureFactory = () => ({
    name: 'slow',
    handlers: [{ name: 'storage:get', answer: () => new Promise((resolve) => asked.push(() => resolve({}))) }],
  })
  const served = await serve({ features: [slow], shutdown: UNHURRIED })
  const client = await served.connect()
  const first = client.send('storage:get')
  await eventually(() => expect(asked).toHaveLength(1))
  const closed = served.realtime.close()
  await eventually(() => expect(client.of('server:draining')).toHaveLength(1))
  const second = client.send('storage:get')
  await eventually(() => expect(asked).toHaveLength(2))
  asked[0]?.()
  expect(await first).toEqual({ ok: true })
  asked[1]?.()
  expect(await second).toEqual({ ok: true })
  await closed
  await served.close()
})

test('[C5] a client admitted before closing that arrives after it is sent away', async () => {
  let finish = (): void => {}
  const slow: FeatureFactory = () => ({
    name: 'slow',
    handlers: [
      {
        name: 'storage:get',
        answer: () =>
          new Promise((resolve) => {
            finish = () => resolve({})
          }),
      },
    ],
  })
  const served = await serve({ features: [slow], shutdown: UNHURRIED })
  const client = await served.connect()
  const reply = client.send('storage:get')
  const arrived = Promise.withResolvers<() => void>()
  served.realtime.io.use((_socket, next) => arrived.resolve(next))
  const late = io(served.url, { transports: ['websocket'], reconnection: false, forceNew: true })
  const heard: string[] = []
  late.onAny((name: string) => heard.push(name))
  const gone = new Promise((resolve) => late.once('disconnect', resolve))
  const admit = await arrived.promise
  const closed = served.realtime.close()
  await eventually(() => expect(client.of('server:draining')).toHaveLength(1))
  admit()
  await gone
  expect(heard).toEqual([])
  finish()
  await Promise.all([reply, closed])
  await served.close()
})

test('[C5] a reply that never comes holds closing up for drainMs only', async () => {
  const stuck: FeatureFactory = () => ({ name: 'stuck', handlers: [{ name: 'storage:get', answer: () => new Promise<never>(() => {}) }] })
  const served = await serve({ features: [stuck], shutdown: { drainMs: 20 } })
  const client = await served.connect()
  const reply = client.send('storage:get', { key: 'k' })
  reply.catch(() => {})
  await client.request('event:subscribe', { channel: 'here' })
  await served.close()
  await expect(reply).rejects.toThrow('disconnected')
})

test('[C5] closing leaves no timer', async () => {
  const setTimers = vi.spyOn(globalThis, 'setTimeout')
  const clearTimers = vi.spyOn(globalThis, 'clearTimeout')
  onTestFinished(() => void vi.restoreAllMocks())
  const served = await serve({ shutdown: { drainMs: 123_456 } })
  await served.close()
  // Longer than any other: pings and the audit.
  const timers = setTimers.mock.results.filter((_, call) => Number(setTimers.mock.calls[call]?.[1]) > 80_000)
  expect(timers.length).toBeGreaterThan(1)
  for (const { value } of timers) expect(clearTimers).toHaveBeenCalledWith(value)
})

test('[C5] a Socket.IO server of the caller stays open', async () => {
  const httpServer = createServer()
  const io = new Server(httpServer)
  const realtime = createRealtimeServer({ io, state: reactiveDriver(memoryDriver()), onWarning: () => {} })
  httpServer.listen(0, '127.0.0.1')
  await once(httpServer, 'listening')
  const url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`
  io.of('/app').on('connection', (socket) => socket.emit('welcome'))
  const [app, client] = [await connectPlain(`${url}/app`), await connectPlain(url)]
  const disconnected = new Promise((resolve) => client.socket.once('disconnect', resolve))
  await realtime.close()
  expect(await disconnected).toMatch(/transport close|io server disconnect/)
  expect(io.of('/').listenerCount('connection')).toBe(0)
  expect(app.socket.connected).toBe(true)
  const another = await connectPlain(`${url}/app`)
  for (const { socket } of [app, another]) socket.disconnect()
  await io.close()
})

test('[C5] closing ends within drainMs, and closes later parts even if one hangs', async () => {
  const errors: unknown[] = []
  const closed: string[] = []
  const part =
    (name: string, close: () => Promise<void>): FeatureFactory =>
    () => ({
      name,
      handlers: [],
      close: async () => {
        closed.push(name)
        await close()
      },
    })
  const features = [
    part('hangs', () => new Promise(() => {})),
    part('fails', () => Promise.reject(new Error('no'))),
    part('ends', async () => {}),
  ]
  const served = await serve({ features, shutdown: { drainMs: 50 }, onError: (error, { stage }) => errors.push([stage, error]) })
  await served.close()
  expect(closed).toEqual(['hangs', 'fails', 'ends'])
  expect(errors).toEqual([
    ['close', expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringContaining('drainMs') })],
    ['close', expect.objectContaining({ message: 'no' })],
  ])
})
