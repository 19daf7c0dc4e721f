import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RealtimePubSub, type RealtimePubSubOptions } from '@tutti/pubsub'
import { startRedis, type DocumentedAcl, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import fsDriver from 'unstorage/drivers/fs'
import memoryDriver from 'unstorage/drivers/memory'
import type { Driver } from 'unstorage'
import { afterAll, beforeEach } from 'vitest'
import { reactiveDriver, reactiveRedisDriver, type ReactiveDriver } from '../src/index.ts'
import type { StoreUnderTest } from '../src/testing/index.ts'

/** A store under test that is also a driver. */
export interface DriverUnderTest extends StoreUnderTest {
  store: ReactiveDriver
  other: ReactiveDriver
}

/** Two instances on their own Redis. */
export interface RedisUnderTest extends DriverUnderTest {
  redis: TestRedis
  pubsubs: [RealtimePubSub, RealtimePubSub]
  client: Redis
}

/** Two instances on several servers. */
export interface StoresAt extends DriverUnderTest {
  base: string
  pubsubs: [RealtimePubSub, RealtimePubSub]
}

/** The connection of the stores to Redis. */
interface RedisStoresOptions {
  base?: string
  acl?: DocumentedAcl
}

/** Starts two instances on their own Redis. */
export async function redisStores({ base = `app:${randomUUID()}`, acl }: RedisStoresOptions = {}): Promise<RedisUnderTest> {
  const redis = await startRedis(acl)
  const urlOf = (credentials: string | undefined): string =>
    credentials === undefined ? redis.url : redis.url.replace('//', `//${credentials}@`)
  const url = urlOf(acl?.credentials)
  const pubsubs: RedisUnderTest['pubsubs'] = [new RealtimePubSub({ url }), new RealtimePubSub({ url })]
  await Promise.all(pubsubs.map((pubsub) => pubsub.link.ready))
  const [store, other] = pubsubs.map((pubsub) => reactiveRedisDriver({ pubsub, base }))
  if (store === undefined || other === undefined) throw new Error('There are two.')
  const client = new Redis(urlOf(acl?.adminCredentials))
  return {
    ...{ redis, pubsubs, client, store, other },
    put: async (key, text) => void (text === null ? await client.del(`${base}:${key}`) : await client.set(`${base}:${key}`, text)),
    get: (key) => client.get(`${base}:${key}`),
    dispose: async () => {
      await Promise.all([store.dispose(), other.dispose()])
      await Promise.all(pubsubs.map((pubsub) => pubsub.dispose()))
      client.disconnect()
      await redis.stop()
    },
  }
}

/** Two instances of one Redis behind Sentinel or of a Cluster; `stop` ends it. */
export async function storesAt(place: RealtimePubSubOptions, stop: () => Promise<void>): Promise<StoresAt> {
  const base = `app:${randomUUID()}`
  const pubsubs: StoresAt['pubsubs'] = [new RealtimePubSub(place), new RealtimePubSub(place)]
  await Promise.all(pubsubs.map((pubsub) => pubsub.link.ready))
  const [store, other] = pubsubs.map((pubsub) => reactiveRedisDriver({ pubsub, base }))
  if (store === undefined || other === undefined) throw new Error('There are two.')
  const [{ link }] = pubsubs
  return {
    ...{ base, pubsubs, store, other },
    put: async (key, text) =>
      void (await (text === null ? link.command('DEL', `${base}:${key}`) : link.command('SET', `${base}:${key}`, text))),
    get: async (key) => {
      const text = await link.command('GET', `${base}:${key}`)
      return text === null ? null : String(text)
    },
    dispose: async () => {
      await Promise.all([store.dispose(), other.dispose()])
      await Promise.all(pubsubs.map((pubsub) => pubsub.dispose()))
      await stop()
    },
  }
}

/** One Redis for all tests of a file, empty before each, with two instances; stopped after the file. */
export async function redisForAllTests(): Promise<{ made: RedisUnderTest; pubsub: RealtimePubSub; another: RealtimePubSub }> {
  const made = await redisStores()
  const [pubsub, another] = made.pubsubs
  afterAll(() => made.dispose())
  beforeEach(async () => void (await made.client.flushall()))
  return { made, pubsub, another }
}

const over = (driver: Driver, dispose: () => Promise<void>): DriverUnderTest => {
  // Writes of one key wait for each other: on a busy machine 200 of them take more than the default on a disk.
  const store = reactiveDriver(driver, { writeTimeoutMs: 60_000 })
  return {
    store,
    other: store,
    put: async (key, text) => {
      if (text === null) await driver.removeItem?.(key, {})
      else await driver.setItem?.(key, text, {})
    },
    get: async (key) => {
      const text = await driver.getItem(key)
      return typeof text === 'string' ? text : null
    },
    dispose: async () => {
      await store.dispose()
      await dispose()
    },
  }
}

/** One process over unstorage's memory driver. */
export const memoryStore = async (): Promise<DriverUnderTest> => over(memoryDriver(), async () => {})

/** One process over unstorage's fs driver in its own folder. */
export async function fileStore(): Promise<DriverUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-store-'))
  return over(fsDriver({ base: folder }), () => rm(folder, { recursive: true, force: true }))
}
