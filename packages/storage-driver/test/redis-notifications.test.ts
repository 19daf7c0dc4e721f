import { RealtimeError } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import { redisOptions, type RedisLink } from '@tutti/pubsub/redis'
import { eventually, startTcpProxy } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { reactiveRedisDriver, type ReactiveDriver, type ReactiveRedisDriverOptions } from '../src/index.ts'
import { record } from '../src/testing/store-under-test.ts'
import { redisForAllTests } from './stores.ts'

const { made, pubsub, another } = await redisForAllTests()
let store: ReactiveDriver
let other: ReactiveDriver

beforeEach(() => {
  store = reactiveRedisDriver({ pubsub })
  other = reactiveRedisDriver({ pubsub: another })
})

const driver = (options: Omit<ReactiveRedisDriverOptions, 'pubsub'>) => reactiveRedisDriver({ pubsub, ...options })

describe('notifications', () => {
  test('[N8] are sent on <prefix>:watch with their fields in one order', async () => {
    const messages: string[] = []
    const listener = made.client.duplicate()
    await listener.subscribe('tutti:watch')
    listener.on('message', (_channel, text) => void messages.push(text))
    const { version } = await store.write({ op: 'set', key: 'a', value: { n: 'ü"\\' }, writer: 'w"1' })
    const { version: timed } = await other.write({ op: 'set', key: 'a', value: { n: 1, text: 'long enough' }, ttlMs: 60_000 })
    const { version: patched } = await store.write({ op: 'patch', key: 'a', patch: { n: 2 } })
    const { version: removed } = await store.write({ op: 'remove', key: 'a' })
    await eventually(() => expect(messages).toHaveLength(4))
    const expiresAt: unknown = JSON.parse(messages[1] ?? '')['expiresAt']
    const origin = `"origin":"${pubsub.instanceId}"`
    expect(messages).toEqual([
      `{${origin},"event":"update","key":"a","writer":"w\\"1","version":${version},"value":{"n":"ü\\"\\\\"}}`,
      `{"origin":"${another.instanceId}","event":"update","key":"a","version":${timed},"expiresAt":${String(expiresAt)},"value":{"n":1,"text":"long enough"}}`,
      `{${origin},"event":"update","key":"a","version":${patched},"expiresAt":${String(expiresAt)},"base":${timed},"patch":{"n":2}}`,
      `{${origin},"event":"remove","key":"a","version":${removed}}`,
    ])
    listener.disconnect()
  })

  test('[S5] are not parsed for keys that no listener wants, unless patched here', async () => {
    const received: string[] = []
    const stop = store.onChange(
      ({ key, version }) => received.push(`${key} ${version}`),
      (key) => key === 'b',
    )
    await stop.ready
    const parse = vi.spyOn(JSON, 'parse')
    const large = 'x'.repeat(1_000)
    await other.write({ op: 'set', key: 'a', value: large })
    const { version } = await other.write({ op: 'set', key: 'b', value: 1 })
    await eventually(() => expect(received).toEqual([`b ${version}`]))
    expect(parse.mock.calls.filter(([text]) => String(text).includes(large))).toEqual([])
    parse.mockRestore()
    // A listener without `wants` receives everything, even beside one with it.
    const everything = await record(store, 'a')
    await other.write({ op: 'set', key: 'a', value: 2 })
    await everything.count(1)
    everything.stop()
    stop()
  })

  test('[S5] are subscribed to only while there is a listener', async () => {
    const subscribers = async () => (await made.client.pubsub('NUMSUB', 'tutti:watch'))[1]
    const stops = [store.onChange(() => {}), store.onChange(() => {})]
    await Promise.all(stops.map(({ ready }) => ready))
    expect(await subscribers()).toBe(1)
    stops[0]?.()
    stops[0]?.()
    expect(await subscribers()).toBe(1)
    stops[1]?.()
    await eventually(async () => expect(await subscribers()).toBe(0))
    const closed = driver({})
    await closed.onChange(() => {}).ready
    await closed.dispose()
    await eventually(async () => expect(await subscribers()).toBe(0))
    const again = await record(store, 'a')
    await store.write({ op: 'set', key: 'a', value: 1 })
    expect(await again.count(1)).toHaveLength(1)
    again.stop()
  })

  test('[S21] are confirmed when watch resolves, and not before', async () => {
    let confirm = (): void => {}
    const ready = new Promise<void>((resolve) => (confirm = resolve))
    const link: RedisLink = Object.create(pubsub.link, { subscribe: { value: () => Object.assign(() => {}, { ready }) } })
    const watched = reactiveRedisDriver({ pubsub: { instanceId: pubsub.instanceId, link } })
    const log: string[] = []
    const watching = Promise.resolve(watched.watch?.(() => {})).then(() => log.push('watching'))
    await store.read(['a'])
    log.push('confirmed')
    confirm()
    await watching
    expect(log).toEqual(['confirmed', 'watching'])
  })

  test('[N4] without a valid change are reported and dropped; later ones arrive', async () => {
    const errors: unknown[] = []
    const careful = driver({ onError: (error, { stage }) => errors.push([stage, error instanceof RealtimeError && error.code]) })
    const announced = await record(careful, 'a')
    for (const text of ['', 'null', '[]', '{}', '{"event":"update","key":"a/b","version":1}', '{"event":"other","key":"a","version":1}'])
      await made.client.publish('tutti:watch', text)
    await store.write({ op: 'set', key: 'a', value: 1 })
    await announced.count(1)
    expect(errors).toEqual(Array.from({ length: 6 }, () => ['message', 'INVALID_MESSAGE']))
    expect(announced.changes).toHaveLength(1)
    announced.stop()
  })

  test("[N4] a listener's error goes to onError, with the stage", async () => {
    const errors: unknown[] = []
    const careful = driver({ onError: (error, { stage }) => errors.push([stage, error]) })
    const broken = new Error('The listener is broken.')
    const stop = careful.onChange(() => {
      throw broken
    })
    const announced = await record(careful, 'a')
    await store.write({ op: 'set', key: 'a', value: 1 })
    await announced.count(1)
    expect(errors).toEqual([['listener', broken]])
    stop()
    announced.stop()
  })

  test('[N6] are missed only if onGap reports it', async () => {
    const gap = new Promise<void>((resolve) => store.onGap(resolve))
    const silent: string[] = []
    const undo = store.onGap(() => void silent.push('undone'))
    undo()
    const closed = driver({})
    closed.onGap(() => void silent.push('closed'))
    await closed.dispose()
    const announced = await record(store, 'a')
    await made.client.client('KILL', 'TYPE', 'pubsub')
    await gap
    expect(silent).toEqual([])
    await other.write({ op: 'set', key: 'a', value: 1 })
    expect(await announced.count(1)).toHaveLength(1)
    announced.stop()
  })

  test('[N6] missed between a read and a later subscription are reported by onGap', async () => {
    const proxy = await startTcpProxy(made.redis)
    const [pub, sub] = [new Redis(made.redis.url, redisOptions()), new Redis(proxy.port, proxy.host, redisOptions())]
    const late = new RealtimePubSub({ clients: { pub, sub } })
    onTestFinished(async () => {
      await late.dispose()
      for (const client of [pub, sub]) client.disconnect()
      await proxy.close()
    })
    await late.link.ready
    const [reading, idle] = [reactiveRedisDriver({ pubsub: late }), reactiveRedisDriver({ pubsub: late, base: 'idle' })]
    const announced: string[] = []
    reading.onGap(() => announced.push('gap'))
    idle.onGap(() => announced.push('gap of a store without a read'))
    proxy.stall('down')
    const stops = [reading, idle].map((driver) => driver.onChange(({ key }) => announced.push(key)))
    await reading.read(['a'])
    proxy.flow()
    await Promise.all(stops.map(({ ready }) => ready))
    expect(announced).toEqual(['gap'])
    await store.write({ op: 'set', key: 'a', value: 1 })
    await eventually(() => expect(announced).toEqual(['gap', 'a']))
  })

  test('[S4] are refused without the right to publish, but the write is applied', async () => {
    await made.client.call('ACL', 'SETUSER', 'mute', 'on', 'nopass', 'allkeys', 'allcommands', 'resetchannels')
    const mute = new RealtimePubSub({ host: made.redis.host, port: made.redis.port, username: 'mute', password: 'x' })
    await mute.link.ready
    const { version } = await reactiveRedisDriver({ pubsub: mute }).write({ op: 'set', key: 'a', value: 1 })
    expect(await store.read(['a'])).toEqual([{ key: 'a', version, value: 1 }])
    await mute.dispose()
  })
})
