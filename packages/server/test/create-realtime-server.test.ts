import { MemoryPubSub } from '@tutti/pubsub'
import { reactiveDriver } from '@tutti/storage-driver'
import { Server } from 'socket.io'
import memoryDriver from 'unstorage/drivers/memory'
import { expect, onTestFinished, test } from 'vitest'
import { createRealtimeServer } from '../src/index.ts'
import type { InternalServerOptions } from '../src/options.ts'

/** A server with all its parts, before any message of another instance. */
function create(options: Partial<InternalServerOptions> = {}) {
  const warnings: string[] = []
  const errors: unknown[] = []
  const readiness = { state: Promise.withResolvers<void>(), events: Promise.withResolvers<void>() }
  const pubsub = new MemoryPubSub()
  const state = reactiveDriver(memoryDriver())
  const [onChange, subscribe] = [state.onChange.bind(state), pubsub.subscribe.bind(pubsub)]
  state.onChange = (listener) => Object.assign(onChange(listener), { ready: readiness.state.promise })
  pubsub.subscribe = (channel, handler) => Object.assign(subscribe(channel, handler), { ready: readiness.events.promise })
  const realtime = createRealtimeServer({
    io: new Server(),
    state,
    pubsub,
    onWarning: (message) => warnings.push(message),
    onError: (error, context) => errors.push([error, context]),
    ...options,
  })
  onTestFinished(() => realtime.close())
  return { realtime, pubsub, state, warnings, errors, readiness }
}

test('[N2] an instance has the id of its pubsub, no warning with all options off', () => {
  const { realtime, pubsub, warnings } = create({ presence: false, rooms: false, locks: false })
  expect(realtime.instanceId).toBe(pubsub.instanceId)
  expect(warnings).toEqual([])
})

test('[P1] without a coordination presence is off, and one warning names the option', () => {
  const { warnings } = create()
  expect(warnings).toEqual([expect.stringContaining('`coordination`')])
})

for (const last of ['state', 'events'] as const) {
  test(`[N3] a server is ready once all subscriptions are confirmed, last ${last}`, async () => {
    const { realtime, readiness } = create()
    let isReady = false
    const ready = realtime.ready.then(() => {
      isReady = true
    })
    readiness[last === 'state' ? 'events' : 'state'].resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(isReady).toBe(false)
    readiness[last].resolve()
    await ready
  })

  test(`[N3] a server whose ${last} subscription fails rejects ready, handled`, async () => {
    const unhandled: unknown[] = []
    const onUnhandled = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', onUnhandled)
    onTestFinished(() => void process.off('unhandledRejection', onUnhandled))
    const { realtime, readiness } = create()
    readiness[last].reject(new Error('never'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(unhandled).toEqual([])
    await expect(realtime.ready).rejects.toThrow('never')
  })
}

test('[C5] a part that fails to close is reported, and the others are closed', async () => {
  const { realtime, pubsub, state, errors } = create({ features: [() => ({ name: 'nothing to close', handlers: [] })] })
  const dispose = state.dispose.bind(state)
  state.dispose = async () => {
    await dispose()
    throw new Error('on purpose')
  }
  await realtime.close()
  expect(errors).toEqual([[new Error('on purpose'), { stage: 'close' }]])
  await expect(pubsub.publish('events', {})).rejects.toMatchObject({ code: 'CLOSED' })
  const alone = create({ pubsub: undefined })
  await alone.realtime.close()
  expect(alone.errors).toEqual([])
})
