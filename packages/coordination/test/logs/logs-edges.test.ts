import { RealtimePubSub, type RealtimePubSubOptions } from '@tutti/pubsub'
import { startRedis, startRedisCluster, startSentinel } from '@tutti/test-kit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRedisLogs, type LogPosition } from '../../src/logs/index.ts'
import { appendNumbers, numbersOf, readAll } from '../../src/testing/logs/logs-under-test.ts'

interface Place {
  readonly options: RealtimePubSubOptions
  stop(): Promise<void>
}

const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  'on one Redis': async () => {
    const redis = await startRedis()
    return { options: { url: redis.url }, stop: () => redis.stop() }
  },
  'behind Sentinel': async () => {
    const sentinel = await startSentinel()
    return { options: { sentinels: sentinel.sentinels, name: sentinel.name }, stop: () => sentinel.stop() }
  },
  'on a Cluster': async () => {
    const cluster = await startRedisCluster()
    return { options: { cluster: cluster.addresses }, stop: () => cluster.stop() }
  },
}

describe.each(Object.entries(PLACES))('logs %s', (_name, start) => {
  let place: Place
  let pubsubs: RealtimePubSub[]
  beforeAll(async () => {
    place = await start()
    pubsubs = [new RealtimePubSub(place.options), new RealtimePubSub(place.options)]
    await Promise.all(pubsubs.map(({ link }) => link.ready))
  })
  afterAll(async () => {
    await Promise.all(pubsubs.map((pubsub) => pubsub.dispose()))
    await place.stop()
  })
  const open = (maxRecords?: number) => {
    const [one, other] = pubsubs.map(({ link }) => createRedisLogs({ link, pattern: 'chat:*', maxRecords }))
    const [pubsub] = pubsubs
    if (one === undefined || other === undefined || pubsub === undefined) throw new Error('There are two.')
    return { one, other, link: pubsub.link }
  }
  const keyOf = (channel: string, part: string): string => `{tutti$log:event:${channel}}$${part}`

  test('[E6] a log that lost its data begins another lifetime, with greater offsets', async () => {
    const { one, other, link } = open()
    const before = (await appendNumbers(one, 'chat:lost', 3)).at(-1)
    await link.command('DEL', ...['records', 'head'].map((part) => keyOf('chat:lost', part)))
    const [after] = await appendNumbers(other, 'chat:lost', 1, 3)
    expect(after?.offset).toBeGreaterThan(before?.offset ?? Infinity)
    expect(await one.read('chat:lost', before)).toMatchObject({ hasGap: true, epoch: after?.epoch })
    await expect(one.history('chat:lost', 10, before)).resolves.toMatchObject({ hasGap: true })
  })

  test('[E6] offsets grow while the clock of Redis is behind the last one', async () => {
    const { one, other, link } = open()
    const { epoch } = await one.head('chat:clock')
    const last = Math.floor((link.now() + 3_600_000) * 1_000)
    await link.command('HSET', keyOf('chat:clock', 'head'), '$', `${epoch} ${last} 0 0 0 `)
    const positions = [...(await appendNumbers(one, 'chat:clock', 2)), ...(await appendNumbers(other, 'chat:clock', 1, 2))]
    expect(positions.map(({ offset }) => offset)).toEqual([last + 1, last + 2, last + 3])
    expect(numbersOf(await readAll(other, 'chat:clock', { epoch, offset: last }))).toEqual([0, 1, 2])
  })

  test('[E7] ids published at once from two instances are one record each', async () => {
    const { one, other } = open()
    const ids = Array.from({ length: 40 }, (_, number) => `id-${number}`)
    const appended = await Promise.all(ids.flatMap((id) => [one, other].map((logs) => logs.append('chat:twice', { json: `"${id}"`, id }))))
    expect(appended.filter(({ isNew }) => isNew)).toHaveLength(ids.length)
    expect((await readAll(one, 'chat:twice')).map(({ id }) => String(id)).toSorted()).toEqual(ids.toSorted())
  })

  test('[E6] a full log is trimmed in steps of 2 %, and never has more records', async () => {
    const { one } = open(100)
    let first: LogPosition | undefined
    for (let number = 0; number < 105; number += 1) {
      const position = await one.append('chat:full', { json: String(number), id: `n-${number}` })
      first ??= position
      const records = await one.history('chat:full', 100).then((page) => page.records.length)
      if (number >= 100) expect([98, 99, 100]).toContain(records)
      else expect(records).toBe(number + 1)
    }
    expect(await one.read('chat:full', first)).toMatchObject({ hasGap: true })
    // The id of a removed record is gone with it.
    expect(await one.append('chat:full', { json: '0', id: 'n-0' })).toMatchObject({ isNew: true })
    expect(await one.append('chat:full', { json: '0', id: 'n-104' })).toMatchObject({ isNew: false })
  })
})
