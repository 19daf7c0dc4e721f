import { createMemoryBus, MemoryPubSub } from '@tutti/pubsub'
import { expect, onTestFinished, test } from 'vitest'
import { createDurableLogs } from '../src/durable/durable-options.ts'
import { eventsFeature } from '../src/events/events-feature.ts'
import type { ServerEvent } from '../src/events/server-events.ts'
import { createModelCore } from './model-cluster.ts'

function createInstance(bus = createMemoryBus()) {
  const pubsub = new MemoryPubSub({ bus })
  const elsewhere = new MemoryPubSub({ bus })
  onTestFinished(async () => {
    for (const each of [pubsub, elsewhere]) await each.dispose()
  })
  const emitted: unknown[][] = []
  const { core } = createModelCore()
  const fanOut = { ...core.fanOut, emit: (...args: unknown[]) => emitted.push(args) }
  const { feature, events, ready } = eventsFeature(
    { ...core, pubsub, fanOut },
    { logs: createDurableLogs({}, () => undefined, core.onError), intervalMs: 0 },
  )
  const heard: ServerEvent[] = []
  events.subscribe('chat:*', (event) => heard.push(event))
  return { pubsub, elsewhere, emitted, feature, events, ready, heard }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('[E9] an event of another process reaches clients and server code until close', async () => {
  const { elsewhere, emitted, feature, ready, heard } = createInstance()
  await ready
  const event = { channel: 'chat:1', data: { n: 1 } }
  await elsewhere.publish('events', { ...event, later: 'unknown' })
  await settled()
  expect(heard).toEqual([event])
  expect(emitted).toEqual([[expect.arrayContaining(['$channel:chat:1', '$channel:chat:*', '$channel:*']), 'event:received', event, []]])
  await feature.close?.()
  await elsewhere.publish('events', event)
  await settled()
  expect(heard).toEqual([event])
})

test('[E1] a publish whose relay failed contains the reason', async () => {
  const { pubsub, events, heard } = createInstance()
  await pubsub.dispose()
  await expect(events.publish('chat:1', 1)).rejects.toMatchObject({ code: 'RELAY_FAILED', cause: { code: 'CLOSED' } })
  expect(heard).toHaveLength(1)
})

test('[E1] an event is delivered locally before it is relayed, unchanged', async () => {
  const { elsewhere, emitted, events, ready, heard } = createInstance()
  await ready
  const relayed: unknown[] = []
  await elsewhere.subscribe('events', (message) => relayed.push(JSON.parse(message))).ready
  const event = { channel: 'chat:1', data: [1] }
  const published = events.publish('chat:1', [1])
  expect(heard).toEqual([event])
  expect(relayed).toEqual([])
  await published
  await settled()
  expect(emitted.map(([, , payload, except]) => [payload, except])).toEqual([[event, []]])
  expect(relayed).toEqual([expect.objectContaining(event)])
})
