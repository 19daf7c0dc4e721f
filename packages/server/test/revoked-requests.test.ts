import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { eventually, startRedis, startTcpProxy } from '@tutti/test-kit'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RequestName, Requests } from '@tutti/protocol'
import { serve } from './serve.ts'

/** A server whose link to Redis can stall. */
async function served() {
  const redis = await startRedis()
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: redis.port })
  const pubsub = new RealtimePubSub({ url: `redis://127.0.0.1:${proxy.port}`, onError: () => {} })
  const server = await serve({
    ...{ pubsub, state: reactiveRedisDriver({ pubsub }), durable: { 'chat:*': {} } },
    authenticate: ({ token = '' }) => ({ id: token }),
    authorize: () => true,
  })
  onTestFinished(async () => {
    proxy.flow()
    await server.close()
    await pubsub.dispose()
    await proxy.close()
    await redis.stop()
  })
  return { ...server, proxy }
}

const requests: { name: RequestName; payload: Requests[RequestName]['payload'] }[] = [
  { name: 'presence:subscribe', payload: { room: 'doc:1' } },
  { name: 'lock:subscribe', payload: { key: 'doc:1:a' } },
]

describe.each(requests)('$name', ({ name, payload }) => {
  test('[X2] a right that ends while its subscription is requested refuses the request', async () => {
    const { connect, realtime, proxy } = await served()
    const client = await connect({ auth: { token: 'ada' } })
    proxy.stall()
    const reply = client.send(name, payload)
    // It has arrived, and waits for Redis.
    await client.send('room:join', { room: 'other' })
    const revoking = realtime.revoke({ user: 'ada' }).catch(() => {})
    await eventually(() => expect(client.of('server:revoked').length).toBeGreaterThan(0))
    const before = client.of('server:revoked').length
    proxy.flow()
    await revoking
    const { ok } = await reply
    // Otherwise its client takes the subscription for one that is in force: it ignores what came before the reply.
    const told = client.of('server:revoked').length > before
    expect({ refusedOrTold: !ok || told }).toEqual({ refusedOrTold: true })
  })
})
