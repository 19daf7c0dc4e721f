import { randomUUID } from 'node:crypto'
import { RealtimePubSub, type RealtimePubSubOptions } from '@tutti/pubsub'
import { startRedis, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { createRedisCoordination, type Coordination, type RedisCoordinationOptions } from '../src/index.ts'

/** Lease times of tests: short, and longer than a busy machine stops a process. */
export const TIMES = { heartbeatMs: 100, leaseMs: 800, graceMs: 300 }

/** One instance of a cluster. */
export interface TestInstance {
  coordination: Coordination
  pubsub: RealtimePubSub
  errors: unknown[]
  /** Ends it without any command, as a crash would. */
  kill(): Promise<void>
}

/** Starts an instance, which ends with the test. */
export async function startInstance(place: RealtimePubSubOptions, options: Partial<RedisCoordinationOptions> = {}): Promise<TestInstance> {
  const errors: unknown[] = []
  const pubsub = new RealtimePubSub({ onError: () => {}, ...place })
  const coordination = createRedisCoordination(pubsub.link, {
    ...{ ...TIMES, instanceId: pubsub.instanceId, onError: (...args) => errors.push(args) },
    ...options,
  })
  await coordination.instance.ready
  const kill = async (): Promise<void> => {
    await pubsub.dispose()
    await coordination.close()
  }
  onTestFinished(async () => {
    await coordination.close()
    await pubsub.dispose()
  })
  return { coordination, pubsub, errors, kill }
}

/** One Redis for all tests of a file; each test has a prefix of its own. */
export function useRedis(): {
  readonly redis: TestRedis
  readonly client: Redis
  /** A prefix, and the names of all keys below it, without those that name only a version. */
  prefix(): { prefix: string; keys(): Promise<string[]> }
} {
  let redis: TestRedis | undefined
  let client: Redis | undefined
  beforeAll(async () => {
    redis = await startRedis()
    client = new Redis(redis.url)
  })
  afterAll(async () => {
    client?.disconnect()
    await redis?.stop()
  })
  const made = <Value>(value: Value | undefined): Value => {
    if (value === undefined) throw new Error('It is made before the tests run.')
    return value
  }
  return {
    get redis() {
      return made(redis)
    },
    get client() {
      return made(client)
    },
    prefix: () => {
      const prefix = `p${randomUUID().slice(0, 8)}`
      const keys = async (): Promise<string[]> =>
        (await made(client).keys(`{${prefix}$*`)).filter((key) => !key.endsWith('$version')).sort()
      return { prefix, keys }
    },
  }
}
