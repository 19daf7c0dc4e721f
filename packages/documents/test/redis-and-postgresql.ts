import { startRedis, type TestRedis } from '@tutti/test-kit'
import { afterAll, beforeAll } from 'vitest'
import type { DocumentStore } from '../src/server/index.ts'
import { startPostgresql, type TestDatabase } from './databases.ts'

/** One Redis and one database in the process, for all tests of a file. */
export function useRedisAndPostgresql(): { readonly redis: TestRedis; readonly store: DocumentStore } {
  let made: { redis: TestRedis; database: TestDatabase } | undefined
  const used = (): { redis: TestRedis; database: TestDatabase } => {
    if (made === undefined) throw new Error('They are made before the tests run.')
    return made
  }
  beforeAll(async () => {
    const [redis, database] = await Promise.all([startRedis(), startPostgresql()])
    made = { redis, database }
  })
  afterAll(async () => {
    await made?.database.stop()
    await made?.redis.stop()
  })
  return {
    get redis() {
      return used().redis
    },
    get store() {
      return used().database.store
    },
  }
}
