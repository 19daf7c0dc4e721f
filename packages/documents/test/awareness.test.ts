import type { RealtimeClient } from '@tutti/client'
import type { JsonValue } from '@tutti/protocol'
import { eventually, startTcpProxy } from '@tutti/test-kit'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { document, type RealtimeDocument } from '../src/client/document.ts'
import { createInstances, type InstanceOptions, type Instances } from './instances.ts'
import { useRedisAndPostgresql } from './redis-and-postgresql.ts'

const ID = 'notes:1'

const place = useRedisAndPostgresql()
let instances: Instances
let errors: unknown[] = []

beforeEach(() => {
  errors = []
})
afterEach(() => instances.stop())

/** Names that a client sees in the document, its own included. */
const namesSeenBy = ({ awareness }: RealtimeDocument): unknown[] =>
  [...awareness.getStates().values()]
    .flatMap(({ name }) => (name === undefined ? [] : [name]))
    .toSorted((a, b) => String(a).localeCompare(String(b)))
const sees = (open: RealtimeDocument, names: readonly string[]): Promise<void> => eventually(() => expect(namesSeenBy(open)).toEqual(names))

const requestCode = ({ internals }: RealtimeClient, state: JsonValue): Promise<string | undefined> =>
  new Promise((resolve) =>
    internals.connection.request('document:awareness', { document: ID, client: 7, state }, ({ error }) => resolve(error?.code)),
  )

describe.for([
  { topology: 'one instance, without Redis', size: 1 },
  { topology: 'two instances on Redis', size: 2 },
])('$topology', ({ size }) => {
  let urls: string[]
  const start = async (options: InstanceOptions = {}): Promise<void> => {
    instances = createInstances(place.store, size === 1 ? undefined : place.redis.url, (error) => errors.push(error))
    urls = [await instances.start(options)]
    if (size === 2) urls.push(await instances.start(options))
  }
  const connect = (place: number, user = ''): RealtimeClient => instances.client(urls[place % urls.length] ?? '', { user })

  test('[D7] clients see what others show, newcomers too, until their connections end', async () => {
    await start()
    const clients = [connect(0), connect(1), connect(1)]
    const [ada, ben] = clients.map((client) => document(client, ID))
    if (ada === undefined || ben === undefined) throw new Error('no documents')
    ada.awareness.setLocalState({ name: 'Ada' })
    ben.awareness.setLocalState({ name: 'Ben' })
    await Promise.all([sees(ada, ['Ada', 'Ben']), sees(ben, ['Ada', 'Ben'])])
    const newcomer = instances.open(urls[0] ?? '', ID)
    await sees(newcomer, ['Ada', 'Ben'])
    ada.awareness.setLocalStateField('cursor', 5)
    await eventually(() => expect(newcomer.awareness.getStates().get(ada.doc.clientID)).toEqual({ name: 'Ada', cursor: 5 }))
    clients[0]?.connection.disconnect()
    await Promise.all([sees(ben, ['Ben']), sees(newcomer, ['Ben']), sees(ada, ['Ada'])])
    clients[0]?.connection.connect()
    await Promise.all([sees(ben, ['Ada', 'Ben']), sees(ada, ['Ada', 'Ben'])])
    ben.dispose()
    await sees(ada, ['Ada'])
    expect(errors).toEqual([])
  })

  test('[D7] many changes reach others as few notices, the newest last', async () => {
    await start()
    const [mine, other] = [instances.open(urls[0] ?? '', ID), instances.open(urls.at(-1) ?? '', ID)]
    mine.awareness.setLocalState({ name: 'Ada' })
    await sees(other, ['Ada'])
    let changes = 0
    other.awareness.on('change', () => (changes += 1))
    for (let cursor = 1; cursor <= 200; cursor += 1) mine.awareness.setLocalStateField('cursor', cursor)
    await eventually(() => expect(other.awareness.getStates().get(mine.doc.clientID)).toMatchObject({ cursor: 200 }))
    expect(changes).toBeLessThan(5)
  })

  test('[D7] a reader shows a cursor, and others see it until its right ends', async () => {
    const readers = new Set(['ada', 'ben'])
    await start({
      authenticate: ({ auth }) => ({ id: String(auth['user']) }),
      authorize: ({ user, action }) => action === 'document:read' && readers.has(user?.id ?? ''),
    })
    const [ada, ben] = [document(connect(0, 'ada'), ID), document(connect(1, 'ben'), ID)]
    ada.awareness.setLocalState({ name: 'Ada' })
    ben.awareness.setLocalState({ name: 'Ben' })
    await Promise.all([sees(ada, ['Ada', 'Ben']), sees(ben, ['Ada', 'Ben'])])
    expect(ada.current.readOnly).toBe(true)
    readers.delete('ben')
    await instances.realtimes[0]?.revoke({ user: 'ben' })
    await sees(ada, ['Ada'])
    await sees(ben, ['Ben'])
    expect(ben.current.error).toMatchObject({ code: 'FORBIDDEN' })
  })

  test('[D7] a state that is too large, or of a document that is not open, is refused', async () => {
    await start({ maxAwarenessBytes: 100 })
    const client = connect(0)
    const watcher = instances.open(urls.at(-1) ?? '', ID)
    watcher.awareness.setLocalState({ name: 'Watcher' })
    await eventually(() => expect(watcher.current.synced).toBe(true))
    await eventually(async () => expect(await requestCode(client, { name: 'x' })).toBe('INVALID_MESSAGE'))
    const open = document(client, ID)
    await eventually(() => expect(open.current.synced).toBe(true))
    expect(await requestCode(client, { name: 'x'.repeat(100) })).toBe('TOO_LARGE')
    expect(await requestCode(client, { name: 'Ada' })).toBeUndefined()
    await sees(watcher, ['Ada', 'Watcher'])
  })
})

test('[D7] what clients of a killed instance showed ends with its lease', async () => {
  const lease = { heartbeatMs: 100, leaseMs: 600 }
  instances = createInstances(place.store, place.redis.url, () => {})
  const proxy = await startTcpProxy({ host: place.redis.host, port: place.redis.port })
  onTestFinished(() => proxy.close())
  const survivor = instances.open(await instances.start({ lease }), ID)
  const lost = instances.open(await instances.start({ lease, redisUrl: `redis://${proxy.host}:${proxy.port}` }), ID)
  survivor.awareness.setLocalState({ name: 'Survivor' })
  lost.awareness.setLocalState({ name: 'Lost' })
  await sees(survivor, ['Lost', 'Survivor'])
  proxy.refuse()
  await eventually(() => expect(namesSeenBy(survivor)).toEqual(['Survivor']))
  proxy.flow()
})
