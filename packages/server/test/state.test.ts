import type { Entry } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOf, serve, type PlainClient, type Served } from './serve.ts'

let served: Served
let client: PlainClient
let other: PlainClient

beforeAll(async () => {
  served = await serve()
  ;[client, other] = await Promise.all([served.connect(), served.connect()])
})

afterAll(() => served.close())

describe('over the wire', () => {
  test('[S2] [C2] the reply to a subscription contains entries with another version', async () => {
    const one = await client.request('storage:set', { key: 'sub:1', value: 1 })
    const two = await client.request('storage:set', { key: 'sub:2', value: 2 })
    const keys = [{ key: 'sub:1', version: one.version }, { key: 'sub:2', version: 1 }, { key: 'sub:3' }, { key: 'sub:4', version: 0 }]
    expect(await other.send('storage:subscribe', { keys })).toEqual({
      ok: true,
      entries: [
        { key: 'sub:2', version: two.version, value: 2 },
        { key: 'sub:3', version: 0, removed: true },
      ],
    })
    const again = await client.request('storage:set', { key: 'sub:1', value: 'one' })
    await eventually(() => expect(other.of('storage:updated')).toContainEqual({ key: 'sub:1', version: again.version, value: 'one' }))
  })

  test('[S2] a subscribed writer does not receive its own change, but its version', async () => {
    for (const subscriber of [client, other]) await subscriber.request('storage:subscribe', { keys: [{ key: 'own' }] })
    const { version } = await client.request('storage:set', { key: 'own', value: 'mine' })
    const second = await other.request('storage:set', { key: 'own', value: 'theirs' })
    const about = (subscriber: PlainClient): unknown[] =>
      subscriber.of('storage:updated').filter((update) => (update as Entry).key === 'own')
    await eventually(() => expect(about(client)).toEqual([{ key: 'own', version: second.version, value: 'theirs' }]))
    expect(about(other)).toEqual([{ key: 'own', version, value: 'mine' }])
  })

  test('[S2] after unsubscribing nothing of the key arrives', async () => {
    const watcher = await served.connect()
    await watcher.request('storage:subscribe', { keys: [{ key: 'left' }, { key: 'kept' }] })
    await watcher.request('storage:unsubscribe', { keys: [{ key: 'left' }, { key: 'never:subscribed' }] })
    await client.request('storage:set', { key: 'left', value: 1 })
    const kept = await client.request('storage:set', { key: 'kept', value: 2 })
    await eventually(() => expect(watcher.of('storage:updated')).toEqual([{ key: 'kept', version: kept.version, value: 2 }]))
  })

  test('[S2] subscribing twice shows each change once', async () => {
    const watcher = await served.connect()
    await watcher.request('storage:subscribe', { keys: [{ key: 'twice' }, { key: 'twice' }] })
    await watcher.request('storage:subscribe', { keys: [{ key: 'twice' }] })
    const { version } = await client.request('storage:set', { key: 'twice', value: 1 })
    const last = await client.request('storage:set', { key: 'twice', value: 2 })
    await eventually(() =>
      expect(watcher.of('storage:updated')).toEqual([
        { key: 'twice', version, value: 1 },
        { key: 'twice', version: last.version, value: 2 },
      ]),
    )
  })

  test('[S17] [C2] a prefix delivers its entries, live changes, and later differences', async () => {
    const watcher = await served.connect()
    const one = await client.request('storage:set', { key: 'list:1', value: 1 })
    expect(await watcher.send('storage:subscribe', { prefix: 'list:' })).toEqual({
      ok: true,
      entries: [{ key: 'list:1', version: one.version, value: 1 }],
    })
    const two = await client.request('storage:set', { key: 'list:deep:2', value: { text: 'x'.repeat(40), done: false } })
    const patched = await client.request('storage:patch', { key: 'list:deep:2', patch: { done: true } })
    const removed = await client.request('storage:remove', { key: 'list:1' })
    await client.request('storage:set', { key: 'list', value: 'not below it' })
    await eventually(() => expect(watcher.of('storage:updated')).toHaveLength(3))
    expect(watcher.of('storage:updated')).toEqual([
      { key: 'list:deep:2', version: two.version, value: { text: 'x'.repeat(40), done: false } },
      { key: 'list:deep:2', version: patched.version, base: two.version, patch: { done: true } },
      { key: 'list:1', version: removed.version, removed: true },
    ])
    const versions = { 'list:1': one.version, 'list:deep:2': patched.version }
    expect(await (await served.connect()).send('storage:subscribe', { prefix: 'list:', versions })).toEqual({
      ok: true,
      entries: [{ key: 'list:1', version: removed.version, removed: true }],
    })
    await watcher.request('storage:unsubscribe', { prefix: 'list:' })
    await client.request('storage:set', { key: 'list:3', value: 3 })
    await client.request('storage:get', { key: 'list:3' })
    expect(watcher.of('storage:updated')).toHaveLength(3)
  })

  test('[X5] versions named with a prefix count as keys', async () => {
    const versions = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`many:${index}`, 1]))
    expect(codeOf(await client.send('storage:subscribe', { prefix: 'many:', versions }))).toBe('TOO_LARGE')
  })

  test('[S6] an ifVersion that does not match is CONFLICT, and nothing is written', async () => {
    const { version } = await client.request('storage:set', { key: 'cond', value: 'first', ifVersion: 0 })
    const refused = await client.send('storage:set', { key: 'cond', value: 'second', ifVersion: 0 })
    expect(refused).toEqual({
      ok: false,
      error: { code: 'CONFLICT', message: expect.any(String), retryable: false, entry: { key: 'cond', version, value: 'first' } },
    })
    expect(codeOf(await client.send('storage:remove', { key: 'cond', ifVersion: version + 1 }))).toBe('CONFLICT')
    expect(await client.request('storage:get', { key: 'cond' })).toMatchObject({ version, value: 'first' })
    const removed = await client.request('storage:remove', { key: 'cond', ifVersion: version })
    expect(await client.request('storage:get', { key: 'cond' })).toEqual({ ...removed, key: 'cond', removed: true })
    expect(removed.version).toBeGreaterThan(version)
  })

  test('[S7] an increment starts an absent key at initial and refuses what is no number', async () => {
    expect(await client.request('storage:increment', { key: 'count', by: 2, initial: 40 })).toMatchObject({ value: 42 })
    expect(await client.request('storage:increment', { key: 'count', by: -2 })).toMatchObject({ value: 40 })
    await client.request('storage:set', { key: 'word', value: 'one' })
    expect(codeOf(await client.send('storage:increment', { key: 'word', by: 1 }))).toBe('NOT_A_NUMBER')
    expect(await client.request('storage:get', { key: 'word' })).toMatchObject({ value: 'one' })
  })

  test('[S8] a patch merges by property and is sent as a patch if smaller', async () => {
    const text = 'x'.repeat(500)
    const { version } = await client.request('storage:set', { key: 'doc', value: { text, title: 'a', gone: 1 } })
    const watcher = await served.connect()
    await watcher.request('storage:subscribe', { keys: [{ key: 'doc' }] })
    const patched = await client.request('storage:patch', { key: 'doc', patch: { title: 'b', gone: null } })
    expect(patched.base).toBe(version)
    await eventually(() =>
      expect(watcher.of('storage:updated')).toEqual([
        { key: 'doc', version: patched.version, base: version, patch: { title: 'b', gone: null } },
      ]),
    )
    expect(await client.request('storage:get', { key: 'doc' })).toMatchObject({ value: { text, title: 'b' } })
  })

  test('[S12] a mutation may name its clientId itself, and is remembered by it', async () => {
    const message = { key: 'numbered', by: 1, mutation: { number: 3, clientId: 'somebody' } }
    const reply = await client.request('storage:increment', message)
    expect(await other.request('storage:increment', message)).toEqual(reply)
    expect(codeOf(await client.send('storage:increment', { ...message, mutation: { number: 2, clientId: 'somebody' } }))).toBe(
      'STALE_MUTATION',
    )
  })
})

describe('from server code', () => {
  test('[S17] lists what is below a prefix', async () => {
    const { state } = served.realtime
    const { version } = await state.set('below:1', 1)
    await state.set('below', 2)
    expect(await state.list('below:')).toEqual({ entries: [{ key: 'below:1', version, value: 1 }] })
    expect(await state.list('below:', 'below:1')).toEqual({ entries: [] })
    await expect(state.list('below')).rejects.toMatchObject({ code: 'INVALID_KEY' })
  })

  test('[S4] it reads and writes like a client, and clients see it', async () => {
    const { state } = served.realtime
    const watcher = await served.connect()
    await watcher.request('storage:subscribe', { keys: [{ key: 'server' }] })
    await state.set('server', { a: 1 }, { ifVersion: 0 })
    await state.patch('server', { b: 2 })
    expect(await state.get('server')).toMatchObject({ value: { a: 1, b: 2 } })
    await state.remove('server')
    await state.increment('server', 5, { initial: 10 })
    await state.increment('server')
    expect(await state.get('server')).toMatchObject({ value: 16 })
    await eventually(() => expect(watcher.of('storage:updated')).toHaveLength(5))
    await expect(state.set('server', 1, { ifVersion: 1 })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(state.set('a/b', 1)).rejects.toMatchObject({ code: 'INVALID_KEY' })
    await expect(state.get('$')).rejects.toMatchObject({ code: 'INVALID_KEY' })
    expect(() => state.watch('', () => {})).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  })

  test('[S2] it watches a key: the entry, then every change, until unsubscribed', async () => {
    const { state } = served.realtime
    await state.set('watched', { n: 0 })
    const seen: unknown[] = []
    const undo = state.watch('watched', (entry) => seen.push('value' in entry ? entry.value : undefined))
    await eventually(() => expect(seen).toEqual([{ n: 0 }]))
    await state.patch('watched', { m: 1 })
    await state.remove('watched')
    await state.set('watched', 'x'.repeat(10_000))
    await eventually(() => expect(seen).toEqual([{ n: 0 }, { n: 0, m: 1 }, undefined, 'x'.repeat(10_000)]))
    undo()
    await state.set('watched', 'after')
    await state.get('watched')
    expect(seen).toHaveLength(4)
  })
})
