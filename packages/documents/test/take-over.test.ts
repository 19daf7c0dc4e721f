import { eventually, startTcpProxy } from '@tutti/test-kit'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { document } from '../src/client/document.ts'
import { createFaultyStore, type FaultyStore } from './faulty-store.ts'
import { createInstances, type Instances } from './instances.ts'
import { useRedisAndPostgresql } from './redis-and-postgresql.ts'

const LEASE = { heartbeatMs: 100, leaseMs: 600 }
const IDS = ['notes:1', 'notes:2', 'notes:3']

const place = useRedisAndPostgresql()
let faulty: FaultyStore
let instances: Instances

beforeEach(async () => {
  for (const id of IDS) await place.store.remove(id)
  faulty = createFaultyStore(place.store)
  instances = createInstances(faulty.store, place.redis.url, () => {})
})
afterEach(() => instances.stop())

/** Edits documents on an instance that stores nothing, and cuts it off from Redis. */
async function loseInstance(text: string): Promise<void> {
  const proxy = await startTcpProxy({ host: place.redis.host, port: place.redis.port })
  onTestFinished(() => proxy.close())
  const url = await instances.start({
    ...{ lease: LEASE, redisUrl: `redis://${proxy.host}:${proxy.port}` },
    ...{ storeIntervalMs: 2_000_000_000, unloadAfterMs: 2_000_000_000 },
  })
  const client = instances.client(url)
  const open = IDS.map((id) => document(client, id))
  for (const each of open) each.text.insert(0, text)
  await eventually(() => expect(open.every(({ current }) => current.synced && !current.loading)).toBe(true))
  // A client that reconnects would send its edits again.
  await client.close()
  proxy.refuse()
}
const storedTexts = (): Promise<(string | undefined)[]> => Promise.all(IDS.map((id) => place.store.textOf(id)))

test('[D2] updates of a killed instance are stored by another one, unopened', async () => {
  await instances.start({ lease: LEASE })
  await loseInstance('kept')
  await eventually(async () => expect(await storedTexts()).toEqual(IDS.map(() => 'kept')))
})

test('[D2] updates of a killed instance are stored after an outage of the database', async () => {
  await instances.start({ lease: LEASE })
  faulty.isAway = false
  await loseInstance('later')
  faulty.isAway = true
  const { attempts } = faulty
  await eventually(() => expect(faulty.attempts).toBeGreaterThan(attempts + 1))
  expect(await storedTexts()).toEqual(IDS.map(() => undefined))
  faulty.isAway = false
  await eventually(async () => expect(await storedTexts()).toEqual(IDS.map(() => 'later')))
})
