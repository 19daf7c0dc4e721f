import memoryDriver from 'unstorage/drivers/memory'
import { expect, test } from 'vitest'
import { reactiveDriver, reactiveRedisDriver, type ReactiveDriver } from '../src/index.ts'
import { monitor } from './monitor.ts'
import { redisForAllTests } from './stores.ts'

const { made, pubsub, another } = await redisForAllTests()

const COUNT = 10_000

/** Keys in a random order. */
const KEYS = Array.from({ length: COUNT }, (_, place) => `todos:${String((place * 7_919) % COUNT).padStart(5, '0')}`)

async function fill(store: ReactiveDriver): Promise<void> {
  for (let start = 0; start < COUNT; start += 1_000)
    await Promise.all(KEYS.slice(start, start + 1_000).map((key) => store.write({ op: 'set', key, value: 0 })))
}

/** All pages, while entries are created and removed before and after the current position. */
async function pagesOf(store: ReactiveDriver, writer: ReactiveDriver): Promise<string[][]> {
  const pages: string[][] = []
  for (let after: string | undefined; ;) {
    const page = await store.list('todos:', after)
    pages.push(page.entries.map(({ key }) => key))
    if (page.after === undefined) return pages
    ;({ after } = page)
    for (const begin of ['0', '9']) await writer.write({ op: 'set', key: `todos:${begin}-${pages.length}`, value: 1 })
  }
}

function check(pages: readonly string[][]): void {
  const seen = pages.flat()
  const different = new Set(seen)
  expect(seen).toEqual([...different].toSorted())
  expect(KEYS.filter((key) => !different.has(key))).toEqual([])
  expect(seen.filter((key) => key.includes('-')).length).toBeGreaterThan(0)
  for (const page of pages) expect(page.length).toBeLessThanOrEqual(1_000)
}

test('[S17] 10,000 entries in Redis are paged, each once and in order, without a scan', async () => {
  const [store, other] = [reactiveRedisDriver({ pubsub }), reactiveRedisDriver({ pubsub: another })]
  await fill(store)
  let pages: string[][] = []
  const commands = await monitor(made.redis, async () => {
    pages = await pagesOf(other, store)
  })
  check(pages)
  expect(commands.filter((name) => ['keys', 'scan', 'sort', 'smembers'].includes(name))).toEqual([])
})

test('[S17] 10,000 entries over a driver are paged, each once and in order', async () => {
  const store = reactiveDriver(memoryDriver())
  await fill(store)
  const pages = await pagesOf(store, store)
  check(pages)
  expect(pages.length).toBeGreaterThan(10)
})
