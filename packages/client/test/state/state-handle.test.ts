import { RealtimeError } from '@tutti/protocol'
import { neverThere } from '@tutti/protocol/internal'
import { expect, test } from 'vitest'
import { ModelServer } from '../model-server.ts'
import { codeOf, connectedClient, failNext, settled, startClient } from '../setup-client.ts'

test('[S10] a handle shows its default until a value is stored, and never stores it', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 7 })
  expect(handle.current).toEqual({ value: 7, loading: true, pending: false, error: undefined, version: undefined, isDirty: false })
  await server.flush()
  expect(handle.current).toEqual({ value: 7, loading: false, pending: false, error: undefined, version: 0, isDirty: false })
  expect(server.entry('count')).toEqual(neverThere('count'))
  server.write('count', null)
  await server.flush()
  expect(handle.current.value).toBe(null)
  server.write('count', undefined)
  await server.flush()
  expect(handle.current.value).toBe(7)
})

test('[S13] a local change shows at once and is confirmed later', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  const done = handle.set(5)
  expect(handle.current).toMatchObject({ value: 5, pending: true, version: 0 })
  await server.flush()
  await done
  expect(handle.current).toMatchObject({ value: 5, pending: false, version: 1 })
})

test('[S13] a change refused for good is reverted alone; later changes stay', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 10)
  const handle = client.state('count', { default: 0 })
  await server.flush()
  server.judge = (request) => (request.name === 'storage:set' ? new RealtimeError('INVALID_VALUE') : undefined)
  const refused = handle.set(100)
  const kept = handle.increment(1)
  expect(handle.current.value).toBe(101)
  await server.flush()
  expect(await codeOf(refused)).toBe('INVALID_VALUE')
  await kept
  expect(handle.current).toMatchObject({ value: 11, pending: false, error: { code: 'INVALID_VALUE' } })
  expect(server.value('count')).toBe(11)
  void handle.set(3)
  expect(handle.current.error).toBe(undefined)
})

test('[S13] a change refused as retryable stays and is sent again with its number', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  let failures = 2
  server.judge = (request) =>
    request.name === 'storage:increment' && failures-- > 0 ? new RealtimeError('UNAVAILABLE', { retryAfterMs: 400 }) : undefined
  const done = handle.increment()
  await server.flush()
  expect(handle.current).toMatchObject({ value: 1, pending: true, error: undefined })
  clock.advance(399)
  await server.flush()
  expect(server.logged('storage:increment')).toHaveLength(1)
  clock.advance(1)
  await server.flush()
  clock.advance(400)
  await server.flush()
  await done
  expect(server.logged('storage:increment').map(({ mutation }) => mutation?.number)).toEqual([1, 1, 1])
  expect(server.value('count')).toBe(1)
})

test('[S12] an unknown outcome is requested again with the same number', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  let lost = 1
  server.judge = () => undefined
  const done = handle.increment()
  server.deliverUp(server.link)
  // The write is applied, but its reply is replaced by an unknown outcome.
  server.link.down.length = 0
  lost--
  server.link.cut()
  clock.advance(1_000)
  await server.flush()
  await done
  expect(lost).toBe(0)
  expect(server.value('count')).toBe(1)
  expect(server.logged('storage:increment').map(({ mutation }) => mutation?.number)).toEqual([1, 1])
  expect(handle.current).toMatchObject({ value: 1, pending: false })
})

test('[S12] OUTCOME_UNKNOWN for a numbered mutation is not a refusal', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  let failures = 1
  const judge = server.judge
  server.judge = (request) =>
    request.name === 'storage:increment' && failures-- > 0 ? new RealtimeError('OUTCOME_UNKNOWN', { retryable: true }) : judge(request)
  const done = handle.increment()
  await server.flush()
  expect(handle.current.pending).toBe(true)
  clock.advance(1_000)
  await server.flush()
  await done
  expect(server.value('count')).toBe(1)
})

test('[S12] a change sent longer ago than the server remembers is not sent again', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  const done = handle.increment()
  server.deliverUp(server.link)
  client.connection.disconnect()
  clock.advance(86_400_001)
  client.connection.connect()
  await server.flush()
  expect(await codeOf(done)).toBe('OUTCOME_UNKNOWN')
  expect(server.logged('storage:increment')).toHaveLength(1)
  expect(handle.current).toMatchObject({ value: 1, pending: false })
})

test('[S12] a key has at most one unanswered mutation, and numbers increase', async () => {
  const { client, server } = await connectedClient()
  const a = client.state('a', { default: 0 })
  const b = client.state('b', { default: 0 })
  await server.flush()
  void a.set(1)
  void a.increment()
  void b.set(2)
  expect(server.link.up.map(({ request }) => request.name)).toEqual(['storage:set', 'storage:set'])
  await server.flush()
  const numbers = server.log.flatMap(({ payload }) => ('mutation' in payload ? [payload.mutation?.number] : []))
  expect(numbers).toEqual([1, 2, 3])
  expect(server.value('a')).toBe(2)
})

test('[S14] 3 offline and 5 online increments result in 8, the offline ones merged', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  client.connection.disconnect()
  const offline = [handle.increment(), handle.increment(), handle.increment()]
  expect(handle.current.value).toBe(3)
  client.connection.connect()
  await server.flush()
  await Promise.all(offline)
  expect(server.logged('storage:increment')).toEqual([expect.objectContaining({ by: 3 })])
  const online = [1, 1, 1, 1, 1].map((by) => handle.increment(by))
  await server.flush()
  await Promise.all(online)
  expect(server.value('count')).toBe(8)
  expect(handle.current.value).toBe(8)
})

test('[S14] beyond maxPendingChanges a change is OVERFLOW, unless it can be merged', async () => {
  const { client, server } = startClient({ maxPendingChanges: 2 })
  const [a, b, c] = ['a', 'b', 'c'].map((key) => client.state(key, { default: 0 }))
  void a?.set(1)
  void b?.set(1)
  void a?.set(2)
  expect(await codeOf(c?.set(1) ?? Promise.resolve())).toBe('OVERFLOW')
  expect(c?.current).toMatchObject({ value: 0, error: { code: 'OVERFLOW' } })
  await server.flush()
  expect([server.value('a'), server.value('b'), server.value('c')]).toEqual([2, 1, undefined])
  const later = c?.set(3)
  await server.flush()
  await later
})

test('[S15] handles share one subscription; disposing of the last ends it', async () => {
  const { client, server } = await connectedClient()
  const first = client.state('count', { default: 0 })
  const second = client.state('count', { default: 0 })
  const other = client.state('other')
  await server.flush()
  expect(server.logged('storage:subscribe')).toEqual([{ keys: [{ key: 'count' }, { key: 'other' }] }])
  void first.set(4)
  expect(second.current).toMatchObject({ value: 4, pending: true })
  await server.flush()
  first.dispose()
  await server.flush()
  expect(server.logged('storage:unsubscribe')).toEqual([])
  second.dispose()
  await server.flush()
  expect(server.logged('storage:unsubscribe')).toEqual([{ keys: [{ key: 'count' }] }])
  expect(server.subscribers('count')).toBe(0)
  other.dispose()
})

test('[S15] a key released and used again in one turn stays subscribed', async () => {
  const { client, server } = await connectedClient()
  const first = client.state('count', { default: 0 })
  await server.flush()
  first.dispose()
  const second = client.state('count', { default: 0 })
  expect(second.current).toMatchObject({ loading: false, version: 0 })
  await server.flush()
  expect(server.logged('storage:unsubscribe')).toEqual([])
  server.write('count', 3)
  await server.flush()
  expect(second.current).toMatchObject({ value: 3, loading: false })
})

test('[S15] a key used again while it is being released ends subscribed', async () => {
  const { client, server } = await connectedClient()
  const first = client.state('count', { default: 0 })
  await server.flush()
  first.dispose()
  await settled()
  expect(server.link.up.map(({ request }) => request.name)).toEqual(['storage:unsubscribe'])
  const second = client.state('count', { default: 0 })
  await server.flush()
  server.write('count', 3)
  await server.flush()
  expect(server.subscribers('count')).toBe(1)
  expect(second.current).toMatchObject({ value: 3, loading: false })
})

test('[S16] debounced sends the last value, once nothing was changed for debounceMs', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('text', { default: '', strategy: 'debounced', debounceMs: 100 })
  const other = client.state('text', { default: '' })
  await server.flush()
  const changes = ['a', 'ab', 'abc'].map((text) => {
    clock.advance(99)
    return handle.set(text)
  })
  expect(handle.current).toMatchObject({ value: 'abc', isDirty: true })
  expect(other.current.value).toBe('abc')
  await server.flush()
  expect(server.logged('storage:set')).toEqual([])
  clock.advance(100)
  expect(handle.current.isDirty).toBe(false)
  await server.flush()
  await Promise.all(changes)
  expect(server.logged('storage:set').map(({ value }) => value)).toEqual(['abc'])
})

test("[S16] manual retains changes until sync, on top of others' writes", async () => {
  const { client, server } = await connectedClient()
  server.write('form', { name: 'old', age: 1 })
  const handle = client.state<{ name: string; age: number }>('form', { strategy: 'manual' })
  const other = client.state('form')
  await server.flush()
  const change = handle.patch({ name: 'new' })
  server.write('form', { name: 'theirs', age: 2 })
  await server.flush()
  expect(handle.current).toMatchObject({ value: { name: 'new', age: 2 }, isDirty: true, pending: false })
  expect(other.current.value).toEqual({ name: 'theirs', age: 2 })
  const synced = handle.sync()
  expect(handle.current).toMatchObject({ isDirty: false, pending: true })
  await server.flush()
  await Promise.all([change, synced])
  expect(server.value('form')).toEqual({ name: 'new', age: 2 })
})

test.for(['debounced', 'manual'] as const)('[S16] unsent changes of a %s handle are sent when it is disposed of', async (strategy) => {
  const { client, server } = await connectedClient()
  const handle = client.state('text', { default: '', strategy })
  await server.flush()
  const change = handle.set('last')
  handle.dispose()
  await server.flush()
  await change
  expect(server.value('text')).toBe('last')
})

test('[S9] update runs on the newest value, and again after another write', async () => {
  const { client, server } = await connectedClient()
  server.write('list', ['a'])
  const handle = client.state<string[]>('list', { default: [] })
  const early = handle.update((list) => [...list, 'mine'])
  expect(handle.current.value).toEqual(['mine'])
  await server.flush()
  await early
  expect(server.value('list')).toEqual(['a', 'mine'])
  server.write('list', ['b'])
  const late = handle.update((list) => [...list, 'again'])
  server.deliverUp(server.link)
  expect(server.logged('storage:set').at(-1)).toMatchObject({ value: ['a', 'mine', 'again'], ifVersion: 2 })
  await server.flush()
  await late
  expect(server.value('list')).toEqual(['b', 'again'])
  expect(handle.current).toMatchObject({ value: ['b', 'again'], pending: false, error: undefined })
})

test("[S9] the promise rejects with the error of an update's function", async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 1 })
  await server.flush()
  const mistake = new TypeError('no')
  const done = handle.update(() => {
    throw mistake
  })
  expect(await codeOf(done)).toBe(mistake)
  expect(handle.current).toMatchObject({ value: 1, pending: false, error: mistake })
})

test("[S14] onlyIfUnchanged refuses a set over another client's write only", async () => {
  const { client, server } = await connectedClient()
  server.write('doc', 'v1')
  const handle = client.state<string>('doc', { onlyIfUnchanged: true })
  await server.flush()
  const own = [handle.set('a'), handle.set('b')]
  await server.flush()
  await Promise.all(own)
  expect(server.value('doc')).toBe('b')
  server.write('doc', 'theirs')
  const refused = handle.set('c')
  await server.flush()
  expect(await codeOf(refused)).toBe('CONFLICT')
  expect(handle.current).toMatchObject({ value: 'theirs', error: { code: 'CONFLICT' } })
  expect(server.value('doc')).toBe('theirs')
})

test('[S19] an invalid key throws at once; a value that is not JSON rejects', async () => {
  const { client } = await connectedClient()
  expect(() => client.state('a/b')).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  const handle = client.state<unknown>('key')
  expect(await codeOf(handle.set(undefined))).toBe('INVALID_VALUE')
  expect(await codeOf(handle.set(new Date()))).toBe('INVALID_VALUE')
  expect(await codeOf(handle.increment(Number.NaN))).toBe('INVALID_VALUE')
  expect(await codeOf(handle.patch([1]))).toBe('INVALID_VALUE')
  expect(handle.current).toMatchObject({ pending: false, error: { code: 'INVALID_VALUE' } })
})

test('[S13] later modifications of an object by the application are not sent', async () => {
  const { client, server } = startClient()
  const handle = client.state<{ n: number }>('key')
  const value = { n: 1 }
  void handle.set(value)
  value.n = 2
  await server.flush()
  expect(server.value('key')).toEqual({ n: 1 })
})

test('[S7] an increment of an absent key starts at the default of its handle', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 100 })
  void handle.increment(5)
  expect(handle.current.value).toBe(105)
  await server.flush()
  expect(server.value('count')).toBe(105)
})

test("[X5] a message above the server's limit is refused locally, without disconnect", async () => {
  const server = new ModelServer()
  server.limits = { ...server.limits, maxPayloadBytes: 2_000 }
  const { client } = await connectedClient({}, server)
  const handle = client.state('text', { default: '' })
  await server.flush()
  expect(await codeOf(handle.set('ü'.repeat(1_000)))).toBe('TOO_LARGE')
  await server.flush()
  const small = handle.set('small')
  await server.flush()
  await small
  expect(client.connection.current.status).toBe('connected')
})

test('[S2] refresh requests the entry; without a connection it rejects', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  server.entries.set('count', { key: 'count', version: 9, value: 9 })
  const done = handle.refresh()
  await server.flush()
  await done
  expect(handle.current).toMatchObject({ value: 9, version: 9 })
  client.connection.disconnect()
  expect(await codeOf(handle.refresh())).toBe('UNAVAILABLE')
})

test('[S13] a snapshot stays the same object until it changes; errors are contained', async () => {
  const { client, server, errors } = await connectedClient()
  const handle = client.state<{ list: number[] }>('key')
  await server.flush()
  const seen: unknown[] = []
  const mistake = new Error('listener')
  handle.subscribe(() => {
    throw mistake
  })
  const undo = handle.subscribe((snapshot) => seen.push(snapshot))
  const before = handle.current
  void handle.set({ list: [1] })
  expect(seen).toEqual([handle.current])
  expect(handle.current).not.toBe(before)
  const { value } = handle.current
  await server.flush()
  expect(handle.current.value).toBe(value)
  expect(handle.current).toBe(handle.current)
  expect(seen).toHaveLength(2)
  undo()
  server.write('key', null)
  await server.flush()
  expect(seen).toHaveLength(2)
  expect(errors).toContain(mistake)
})

test('[S3] a refused subscription shows its error and does not affect other keys', async () => {
  const { client, server } = await connectedClient()
  server.judge = (request) =>
    request.name === 'storage:subscribe' && 'keys' in request.payload && request.payload.keys.some(({ key }) => key === 'bad')
      ? new RealtimeError('TOO_MANY_SUBSCRIPTIONS')
      : undefined
  server.write('good1', 1)
  server.write('good2', 2)
  const [good1, bad, good2] = [client.state('good1'), client.state('bad'), client.state('good2')]
  await server.flush()
  expect(good1.current).toMatchObject({ value: 1, loading: false })
  expect(good2.current).toMatchObject({ value: 2, loading: false })
  expect(bad.current).toMatchObject({ loading: false, error: { code: 'TOO_MANY_SUBSCRIPTIONS' } })
})

test('[S2] a subscription that fails temporarily is repeated', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('key', 1)
  let failures = 1
  server.judge = () => (failures-- > 0 ? new RealtimeError('UNAVAILABLE') : undefined)
  const handle = client.state('key')
  await server.flush()
  expect(handle.current.loading).toBe(true)
  clock.advance(500)
  await server.flush()
  expect(handle.current).toMatchObject({ value: 1, loading: false })
})

test('[S13] an equal new value stays the same object', async () => {
  const { client, server } = await connectedClient()
  server.write('key', { list: [1] })
  const handle = client.state('key')
  await server.flush()
  const { value } = handle.current
  server.write('key', { list: [1] })
  await server.flush()
  expect(handle.current.version).toBe(2)
  expect(handle.current.value).toBe(value)
})

test('[S10] remove makes the key absent; with onlyIfUnchanged only if unchanged', async () => {
  const { client, server } = await connectedClient()
  server.write('doc', 'old')
  const handle = client.state('doc', { default: 'none', onlyIfUnchanged: true })
  await server.flush()
  const done = handle.remove()
  expect(handle.current).toMatchObject({ value: 'none', pending: true })
  await server.flush()
  await done
  expect(server.logged('storage:remove')).toEqual([{ key: 'doc', ifVersion: 1, mutation: { number: 1 } }])
  expect(server.entry('doc')).toMatchObject({ removed: true, version: 2 })
  server.write('doc', 'theirs')
  const refused = handle.remove()
  await server.flush()
  expect(await codeOf(refused)).toBe('CONFLICT')
})

test('[S7] an increment without a numeric default starts at 0', async () => {
  const { client, server } = await connectedClient()
  void client.state<unknown>('a').increment()
  void client.state<unknown>('b', { default: 'text' }).increment()
  await server.flush()
  expect(server.logged('storage:increment').map(({ initial }) => initial)).toEqual([0, 0])
})

test('[S16] sync settles when all is confirmed, without errors of earlier changes', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 0, strategy: 'manual' })
  await server.flush()
  failNext(server, 'storage:set', new RealtimeError('INVALID_VALUE'))
  void handle.set(1)
  const first = handle.sync()
  let over = false
  first.then(
    () => {},
    () => (over = true),
  )
  await settled()
  expect(over).toBe(false)
  await server.flush()
  expect(await codeOf(first)).toBe('INVALID_VALUE')
  expect(await codeOf(handle.sync())).toBe('no error')
})

test('[S16] [S14] a draft beyond the limit is refused when it is sent', async () => {
  const { client } = startClient({ maxPendingChanges: 1 })
  void client.state('other', { default: 0 }).set(1)
  const handle = client.state('draft', { default: 0, strategy: 'manual' })
  const change = handle.set(1)
  void handle.sync()
  expect(await codeOf(change)).toBe('OVERFLOW')
  expect(handle.current).toMatchObject({ value: 0, isDirty: false, error: { code: 'OVERFLOW' } })
})
