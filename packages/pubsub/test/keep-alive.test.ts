import { redisOptions } from '@tutti/pubsub/redis'
import { documentedAcl, eventually, startRedisCluster, startSentinel } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { clientList, closedAsIdle, connect, observer, testRedis } from './setup.ts'

/** Redis closes connections that are idle for more than three seconds: a busy machine does not stop a process for so long. */
const IDLE = ['--timeout', '3']

/** A ready instance, and its reports since then. */
async function watched(options: Parameters<typeof connect>[0]) {
  const { pubsub, errors } = connect(options)
  await pubsub.link.ready
  const reported: string[] = []
  pubsub.onGap(() => reported.push('gap'))
  pubsub.onStatus((status) => reported.push(status))
  return { pubsub, reported, errors }
}

test('[N11] a Redis that closes idle connections keeps those of an instance', async () => {
  const redis = await testRedis(IDLE)
  const own = [1, 2].map(() => new Redis(redis.url, redisOptions()))
  onTestFinished(() => own.forEach((client) => client.disconnect()))
  const [pub, sub] = own
  if (pub === undefined || sub === undefined) throw new Error('There are two.')
  const instances = [await watched({ url: redis.url }), await watched({ clients: { pub, sub } })]
  const observing = observer(redis)
  const ids = async () => (await clientList(observing)).map(({ id }) => Number(id)).toSorted((a, b) => a - b)
  const before = await ids()
  await closedAsIdle(redis)
  expect(await ids()).toEqual(before)
  expect(before).toHaveLength(4)
  expect(instances.flatMap(({ reported, errors }) => [...reported, ...errors])).toEqual([])
})

test('[N11] keepAliveMs applies if Redis refuses to report its timeout', async () => {
  const { users, credentials } = documentedAcl()
  const redis = await testRedis(IDLE, users)
  const options = { url: redis.url.replace('//', `//${credentials}@`), keepAliveMs: 300 }
  const { reported, errors } = await watched(options)
  await closedAsIdle(redis)
  expect([reported, errors]).toEqual([[], []])
})

test('[N11] a connection that Redis closes on command is a gap', async () => {
  const redis = await testRedis(IDLE)
  const { reported } = await watched({ url: redis.url })
  await observer(redis).client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await eventually(() => expect(reported).toEqual(['unavailable', 'ready', 'gap']))
})

test('[N11] a hanging connection is detected although no command is sent', async () => {
  const redis = await testRedis()
  const { reported } = await watched({ url: redis.url, keepAliveMs: 50, commandTimeoutMs: 1_500 })
  redis.pause()
  await eventually(() => expect(reported).toEqual(['unavailable']))
  redis.resume()
  await eventually(() => expect(reported).toEqual(['unavailable', 'ready', 'gap']))
})

test('[N11] idle connections are kept behind Sentinel and on a Cluster', async () => {
  const [sentinel, cluster] = await Promise.all([startSentinel({ args: IDLE }), startRedisCluster({ args: IDLE })])
  onTestFinished(async () => void (await Promise.all([sentinel.stop(), cluster.stop()])))
  const { sentinels, name } = sentinel
  const instances = [await watched({ sentinels, name }), await watched({ cluster: cluster.addresses })]
  await Promise.all([await sentinel.master(), ...cluster.nodes].map(closedAsIdle))
  expect(instances.flatMap(({ reported, errors }) => [...reported, ...errors])).toEqual([])
})
