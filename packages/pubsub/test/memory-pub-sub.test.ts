import { MemoryPubSub, createMemoryBus } from '@tutti/pubsub'
import { expect, test } from 'vitest'

test('[N5] one that is made while the bus is interrupted is unavailable until it is back, and then told of a gap', async () => {
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
