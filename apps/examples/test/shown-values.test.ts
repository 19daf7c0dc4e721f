import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRealtimeClient } from '@tutti/client'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/node'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { eventually, startRedis } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ends: (() => Promise<unknown>)[] = []
let url = ''

beforeAll(async () => {
  const redis = await startRedis()
  const pubsub = new RealtimePubSub({ url: redis.url })
  const httpServer = createServer()
  const realtime = attachRealtime(httpServer, { state: reactiveRedisDriver({ pubsub }), pubsub })
  await realtime.ready
  httpServer.listen(0, '127.0.0.1')
  await once(httpServer, 'listening')
  url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`
  ends.push(
    async () => realtime.close(),
    async () => httpServer.closeAllConnections(),
    async () => httpServer.close(),
    async () => redis.stop(),
  )
})

afterAll(async () => {
  for (const end of ends) await end()
})

/** What a client shows of a counter while it does something: never down, never more than there is in the end. */
async function shownWhile(key: string, act: (client: ReturnType<typeof createRealtimeClient>) => Promise<unknown>): Promise<number[]> {
  const client = createRealtimeClient({ url, random: () => 0 })
  const count = client.state(key, { default: 0 })
  const shown: number[] = []
  count.subscribe(({ value }) => shown.push(value))
  await act(client)
  await eventually(() => expect(count.current).toMatchObject({ pending: false, loading: false }))
  await client.close()
  return shown
}

const rising = (shown: number[]): number[] => shown.toSorted((a, b) => a - b)

test('[S13] increments of a new client are shown once each, in any order of replies', async () => {
  for (let round = 1; round <= 30; round += 1) {
    const shown = await shownWhile('fresh', (client) => {
      const count = client.state('fresh', { default: 0 })
      return Promise.all([count.increment(), count.increment(), count.increment()])
    })
    // Its default comes first, before anything is known.
    const known = shown.filter((value) => value > 3 * (round - 1))
    expect(known).toEqual(rising(known))
    expect(shown.at(-1)).toBe(3 * round)
  }
})

test('[S13] [S14] increments made offline are shown once each after reconnecting', async () => {
  for (let round = 1; round <= 10; round += 1) {
    const shown = await shownWhile(`offline:${round}`, async (client) => {
      const count = client.state(`offline:${round}`, { default: 0 })
      await count.increment()
      client.connection.disconnect()
      const made = Array.from({ length: 5 }, () => count.increment())
      client.connection.connect()
      await Promise.all(made)
    })
    expect(shown).toEqual(rising(shown))
    expect(shown.at(-1)).toBe(6)
  }
})

test('[S13] two clients that click at once never see their own clicks twice', async () => {
  const clicks = 100
  const clicked = async (client: ReturnType<typeof createRealtimeClient>): Promise<void> => {
    const count = client.state('clicked', { default: 0 })
    await eventually(() => expect(count.current.loading).toBe(false))
    for (let click = 0; click < clicks; click += 1) {
      void count.increment()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await eventually(() => expect(count.current.value).toBe(2 * clicks))
  }
  for (const shown of await Promise.all([shownWhile('clicked', clicked), shownWhile('clicked', clicked)])) {
    expect(shown).toEqual(rising(shown))
    expect(shown.at(-1)).toBe(2 * clicks)
  }
})
