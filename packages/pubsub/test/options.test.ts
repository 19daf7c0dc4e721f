import { RealtimeError } from '@tutti/protocol'
import { RealtimePubSub, type RealtimePubSubOptions } from '@tutti/pubsub'
import { redisOptions } from '@tutti/pubsub/redis'
import { eventually } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { connect, observer, testRedis } from './setup.ts'

test('[N8] url, username, password and db select that user and database', async () => {
  const redis = await testRedis()
  const observing = observer(redis)
  await observing.acl('SETUSER', 'ann', 'on', '>p:w', '~*', '&*', '+@all')
  const byUrl = connect({ url: `redis://ann:${encodeURIComponent('p:w')}@${redis.host}:${redis.port}/3` })
  const byParts = connect({ host: redis.host, port: redis.port, username: 'ann', password: 'p:w', db: 4 })
  for (const [{ pubsub }, db] of [
    [byUrl, 3],
    [byParts, 4],
  ] as const) {
    await pubsub.link.ready
    expect(await pubsub.link.command('ACL', 'WHOAMI')).toBe('ann')
    expect(await pubsub.link.command('CLIENT', 'INFO')).toContain(` db=${db} `)
    await pubsub.link.command('SET', 'where', db)
  }
  expect((await observing.info('keyspace')).match(/db\d/g)).toEqual(['db3', 'db4'])
})

test('[N8] a wrong password is reported once, with its cause, and retried', async () => {
  const redis = await testRedis()
  const observing = observer(redis)
  await observing.config('SET', 'requirepass', 'other')
  const { pubsub, errors } = connect({ host: redis.host, port: redis.port, password: 'secret' })
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  await observing.config('SET', 'requirepass', 'secret')
  await pubsub.link.ready
  expect(errors).toMatchObject([
    { stage: 'connection', error: { code: 'UNAVAILABLE', cause: { message: expect.stringContaining('WRONGPASS') } } },
  ])
  expect(inspect(errors, { depth: 10 })).not.toContain('secret')
})

test('[N8] a missing database is not replaced by another', async () => {
  const redis = await testRedis()
  const { pubsub, errors } = connect({ url: redis.url + '/999' })
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  await expect(pubsub.link.command('SET', 'x', '1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(errors).toMatchObject([{ stage: 'connection', error: { message: expect.stringContaining('DB index is out of range') } }])
})

test('[N8] prefix separates applications on one Redis', async () => {
  const redis = await testRedis()
  const [a, b, c] = [
    connect({ url: redis.url, prefix: 'one' }).pubsub,
    connect({ url: redis.url, prefix: 'two' }).pubsub,
    connect({ url: redis.url, prefix: 'two' }).pubsub,
  ]
  const received: string[] = []
  await Promise.all([a.link.ready, b.link.ready, c.link.ready, b.subscribe('news', (text) => received.push(text)).ready])
  await a.publish('news', { from: 'a' })
  await c.publish('news', { from: 'c' })
  await eventually(() => expect(received).toHaveLength(1))
  expect(received[0]).toContain('"from":"c"')
  expect(c.link.prefix).toBe('two')
})

test('[N8] clients of the caller, created with redisOptions, are used and not closed', async () => {
  const redis = await testRedis()
  const make = () => new Redis(redis.url, { ...redisOptions(), lazyConnect: true })
  const [pub, sub] = [make(), make()]
  onTestFinished(() => [pub, sub].forEach((client) => client.disconnect()))
  await pub.connect()
  const listeners = () => [pub, sub].map((client) => client.eventNames().map((name) => `${String(name)} ${client.listenerCount(name)}`))
  const before = listeners()
  const pubsub = new RealtimePubSub({ clients: { pub, sub } })
  const { pubsub: other } = connect({ url: redis.url })
  const received: string[] = []
  await Promise.all([pubsub.link.ready, other.link.ready, pubsub.subscribe('news', (text) => received.push(text)).ready])
  await other.publish('news', {})
  await eventually(() => expect(received).toHaveLength(1))
  await pubsub.dispose()
  expect([pub.status, sub.status]).toEqual(['ready', 'ready'])
  expect(await pub.pubsub('NUMSUB', 'tutti:news')).toEqual(['tutti:news', 0])
  expect(listeners()).toEqual(before)
})

test('[N8] clients that would send late or twice are refused with INVALID_OPTIONS', async () => {
  const redis = await testRedis()
  const make = (options: object) => {
    const client = new Redis(redis.url, { lazyConnect: true, ...options })
    onTestFinished(() => client.disconnect())
    return client
  }
  const good = make(redisOptions())
  const closed = make(redisOptions())
  closed.disconnect()
  await eventually(() => expect(closed.status).toBe('end'))
  const changes = [
    { enableOfflineQueue: true },
    { autoResendUnfulfilledCommands: true },
    { maxRetriesPerRequest: 20 },
    { maxRetriesPerRequest: null },
    { autoResubscribe: true },
    { protocol: 3 },
    { commandTimeout: undefined },
    { retryStrategy: null },
  ]
  const bad = [...changes.map((change) => make({ ...redisOptions(), ...change })), make({}), closed, good]
  for (const client of bad) {
    expect(() => new RealtimePubSub({ clients: { pub: good, sub: client } })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  }
})

test('[N8] options that cannot work are INVALID_OPTIONS, before anything connects', () => {
  const clients = {} as never
  const wrong = (options: object): RealtimePubSubOptions => options
  const refused: RealtimePubSubOptions[] = [
    { url: 'localhost:6379' },
    { url: 'http://localhost' },
    { url: 'redis://[' },
    { url: 'redis://localhost', host: 'localhost' },
    { url: 'redis://localhost', password: 'x' },
    { clients, url: 'redis://localhost' },
    { clients, port: 1 },
    { clients, tls: true },
    { port: 0 },
    { port: 65_536 },
    { port: 1.5 },
    { sentinels: [{ host: 'a', port: 1 }] },
    { name: 'x' },
    { sentinels: [], name: 'x' },
    { sentinels: [{ host: '', port: 1 }], name: 'x' },
    { sentinels: [{ host: 'a', port: 0 }], name: 'x' },
    { sentinels: [{ host: 'a', port: 1 }], name: '' },
    { sentinels: [{ host: 'a', port: 1 }], name: 'x', host: 'a' },
    { sentinels: [{ host: 'a', port: 1 }], name: 'x', url: 'redis://a' },
    { sentinelPassword: 'x' },
    { cluster: [{ host: 'a', port: 1 }], sentinelTls: true },
    { cluster: [] },
    { cluster: [{ host: 'a', port: 65_536 }] },
    { cluster: [{ host: 'a', port: 1 }], port: 1 },
    { cluster: [{ host: 'a', port: 1 }], url: 'redis://a' },
    { cluster: [{ host: 'a', port: 1 }], sentinels: [{ host: 'a', port: 1 }], name: 'x' },
    { cluster: [{ host: 'a', port: 1 }], db: 1 },
    { clients, cluster: [{ host: 'a', port: 1 }] },
    { clients, db: 0 },
    { clients, path: '/run/redis.sock' },
    ...['', 'a:6379', '[::1]', 'redis://a', 'a/1', 'a b', 'a%'].map((host) => ({ host })),
    ...['6379', Number.NaN, 1n, null].map((port) => wrong({ port })),
    ...[-1, 1.5, Number.NaN, 2 ** 31].map((db) => ({ db })),
    ...['3', '', null].map((db) => wrong({ db })),
    ...['', 'redis.sock', 'unix:/a', '/a\0', `/${'a'.repeat(107)}`].map((path) => ({ path })),
    { path: '/a', port: 1 },
    { path: '/a', url: 'redis://a' },
    { path: '/a', cluster: [{ host: 'a', port: 1 }] },
    { url: 'redis://localhost/x' },
    { url: 'rediss://localhost', tls: false },
    { url: 'unix:/a', db: 1 },
    ...['redis://a:1', ['redis://a:1'], ['a:1'], [null], [{ host: 'redis://a', port: 1 }], [{ host: 'a', port: '1' }], {}].flatMap(
      (nodes) => [wrong({ cluster: nodes }), wrong({ sentinels: nodes, name: 'x' })],
    ),
    { prefix: '' },
    { prefix: 'a b\n' },
    { prefix: '{a}' },
    { commandTimeoutMs: 0 },
    { commandTimeoutMs: Number.NaN },
    { commandTimeoutMs: Infinity },
    { keepAliveMs: 0 },
    { keepAliveMs: Number.NaN },
    { breakerFailures: 0 },
    { breakerFailures: 1.5 },
    { breakerProbeMs: 0 },
    { breakerProbeMs: 2 ** 31 },
  ]
  const codeOf = (options: RealtimePubSubOptions): unknown => {
    try {
      return new RealtimePubSub(options)
    } catch (error) {
      return error instanceof RealtimeError ? error.code : error
    }
  }
  expect(refused.filter((options) => codeOf(options) !== 'INVALID_OPTIONS')).toEqual([])
})
