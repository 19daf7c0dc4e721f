import { startRedis, type TestRedis } from '@tutti/test-kit'
import { afterAll, beforeAll } from 'vitest'
import { pgliteStore, type DocumentStore } from '../src/server/index.ts'

/** One Redis and one database in the process, for all tests of a file. */
export function useRedisAndPglite(): { readonly redis: TestRedis; readonly store: DocumentStore } {
  let made: { redis: TestRedis; store: DocumentStore } | undefined
  const used = (): { redis: TestRedis; store: DocumentStore } => {
    if (made === undefined) throw new Error('They are made before the tests run.')
    return made
  }
  beforeAll(async () => {
    made = { redis: await startRedis(), store: pgliteStore() }
    await made.store.ready
  })
  afterAll(async () => {
    await made?.store.close()
    await made?.redis.stop()
  })
  return {
    get redis() {
      return used().redis
    },
    get store() {
      return used().store
    },
  }
}
