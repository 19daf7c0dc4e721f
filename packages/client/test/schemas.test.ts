import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { defineSchema, RealtimeError } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/node'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { eventually, startRedis } from '@tutti/test-kit'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'

const schema = defineSchema({
  state: { 'todos:*': v.object({ title: v.pipe(v.string(), v.maxLength(5, 'Five letters at most.')), done: v.boolean() }) },
  events: { 'chat:*': v.object({ text: v.string() }) },
})

/** A client with its own instance. */
async function clientOfInstance(redisUrl: string): Promise<RealtimeClient<typeof schema>> {
  const http = createServer()
  const pubsub = new RealtimePubSub({ url: redisUrl })
  const realtime = attachRealtime(http, { schema, pubsub, state: reactiveRedisDriver({ pubsub }) })
  await realtime.ready
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const client = createRealtimeClient<typeof schema>({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` })
  onTestFinished(async () => {
    await client.close()
    await realtime.close()
    await new Promise((resolve) => http.close(resolve))
  })
  return client
}

test('[X6] [S13] a change refused by a schema is reverted alone, with the reason', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const [near, far] = [await clientOfInstance(redis.url), await clientOfInstance(redis.url)]
  const [mine, theirs] = [near.state('todos:1'), far.state('todos:1')]
  const shown: unknown[] = []
  theirs.subscribe(() => void shown.push(theirs.current.value))
  await mine.set({ title: 'Milk', done: false })
  await eventually(() => expect(theirs.current.value).toEqual({ title: 'Milk', done: false }))

  const issues = [{ path: 'title', message: 'Five letters at most.' }]
  const refused = mine.patch({ title: 'Bread!' })
  const accepted = theirs.patch({ done: true })
  expect(mine.current.value?.title).toBe('Bread!')
  await expect(refused).rejects.toMatchObject({ code: 'INVALID_VALUE', retryable: false, issues })
  await accepted
  const { error } = mine.current
  expect(error instanceof RealtimeError && error.issues).toEqual(issues)
  await eventually(() => expect([mine.current.value, theirs.current.value]).toEqual(Array(2).fill({ title: 'Milk', done: true })))
  expect(JSON.stringify(shown)).not.toContain('Bread')
  // @ts-expect-error -- a text is missing
  await expect(far.events.publish('chat:1', {})).rejects.toMatchObject({ code: 'INVALID_VALUE', issues: [{ path: 'text' }] })
})
