import { defineSchema } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { startRedis } from '@tutti/test-kit'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { rules } from '../src/index.ts'
import { serve } from './serve.ts'

type Write = (key: string, numbers: Map<string, number>) => [name: string, payload: object]

const numberOf = (key: string, numbers: Map<string, number>): { number: number } => {
  const number = (numbers.get(key) ?? 0) + 1
  numbers.set(key, number)
  return { number }
}

const plain: Record<string, Write> = {
  set: (key) => ['storage:set', { key, value: 1 }],
  'set for a time': (key) => ['storage:set', { key, value: 1, ttlMs: 60_000 }],
  'set of an object': (key) => ['storage:set', { key, value: { a: [1, 'long'.repeat(50)] } }],
  remove: (key) => ['storage:remove', { key }],
  increment: (key) => ['storage:increment', { key, by: 1 }],
  patch: (key) => ['storage:patch', { key, patch: { a: 1 } }],
}
const numbered = Object.entries(plain).map(([name, write]): [string, Write] => [
  `numbered ${name}`,
  (key, numbers) => {
    const [message, payload] = write(key, numbers)
    return [message, { ...payload, mutation: numberOf(key, numbers) }]
  },
])
const writes = new Map<string, Write>([...Object.entries(plain), ...numbered])

/** Replies of one connection, in the order in which they arrived. Each write has a key of its own, below a prefix. */
async function repliesTo(connection: Awaited<ReturnType<Awaited<ReturnType<typeof serve>>['connect']>>, requests: [string, object][]) {
  const replies: { request: number; version: number }[] = []
  await Promise.all(
    requests.map(async ([name, payload], request) => {
      const reply = await connection.send(name, payload)
      if (!reply.ok) throw new Error(`${name}: ${JSON.stringify(reply.error)}`)
      replies.push({ request, version: (reply as unknown as { version: number }).version })
    }),
  )
  return replies
}

test('[S2] replies of a connection are sent in the order of execution in Redis', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const pubsub = new RealtimePubSub({ url: redis.url })
  const everything = { read: true, write: true }
  const served = await serve({
    state: reactiveRedisDriver({ pubsub }),
    pubsub,
    schema: defineSchema({ state: { 'checked:*': v.any() } }),
    limits: { mutationsPerSecond: 1_000_000, requestsPerSecond: 1_000_000 },
    authorize: rules({ state: { 'free:*': everything, 'checked:*': everything } }),
  })
  onTestFinished(() => served.close())
  const client = await served.connect({ auth: { clientId: 'c' } })
  const numbers = new Map<string, number>()
  let keys = 0
  for (const [first, writeFirst] of writes) {
    for (const [second, writeSecond] of writes) {
      for (const subscribed of [false, true]) {
        const names = ['free', 'checked'].flatMap((prefix) => [`${prefix}:${(keys += 1)}`, `${prefix}:${(keys += 1)}`])
        if (subscribed) await client.request('storage:subscribe', { keys: names.map((key) => ({ key })) })
        const requests = names.map((key, place) => (place % 2 === 0 ? writeFirst : writeSecond)(key, numbers))
        const replies = await repliesTo(client, requests)
        const versions = replies.map(({ version }) => version)
        expect(versions, `${first}, then ${second}`).toEqual(versions.toSorted((a, b) => a - b))
      }
    }
  }
})
