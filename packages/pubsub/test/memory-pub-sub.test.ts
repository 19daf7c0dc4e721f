import { MemoryPubSub, createMemoryBus } from '@tutti/pubsub'
import { countItems } from '@tutti/test-kit'
import { expect, test } from 'vitest'

test('[N5] an instance created during an interruption is unavailable, then has a gap', async () => {
  const bus = createMemoryBus()
  bus.interrupt()
  const pubsub = new MemoryPubSub({ bus })
  expect(pubsub.status).toBe('unavailable')
  await expect(pubsub.publish('news', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  let gaps = 0
  pubsub.onGap(() => (gaps += 1))
  bus.restore()
  bus.restore()
  expect([pubsub.status, gaps]).toEqual(['ready', 1])
  await pubsub.dispose()
})

test('[F4] nothing is retained for unused channels, removed listeners, after dispose', async () => {
  const bus = createMemoryBus()
  const { made: pubsub, items } = await countItems(() => new MemoryPubSub({ bus }))
  const undo = [pubsub.subscribe('a', () => {}), pubsub.subscribe('a', () => {}), pubsub.onGap(() => {}), pubsub.onStatus(() => {})]
  expect(items()).toBe(3)
  for (const one of undo) one()
  expect(items()).toBe(0)
  pubsub.subscribe('a', () => {})
  pubsub.onGap(() => {})
  pubsub.onStatus(() => {})
  await pubsub.dispose()
  expect(items()).toBe(0)
})
