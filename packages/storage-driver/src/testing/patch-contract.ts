import { applyPatch, type JsonObject, type JsonValue } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { freshAuthor, freshKey, record, type UseStore } from './store-under-test.ts'

/** S8: patches merge by property, and none is lost. */
export function patchContract(use: UseStore): void {
  test('[S8] a patch merges per RFC 7396 and reports the version that it was merged into', async () => {
    const { store, other } = use()
    const cases: [JsonValue | undefined, JsonObject, JsonValue][] = [
      [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
      [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
      [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
      [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
      [{ e: null }, { a: 1 }, { e: null, a: 1 }],
      [['a'], { a: 1 }, { a: 1 }],
      [undefined, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
      [{ list: [], number: 1234567890123456 }, { a: [] }, { list: [], number: 1234567890123456, a: [] }],
    ]
    for (const [value, patch, merged] of cases) {
      const key = freshKey()
      const { version } = value === undefined ? { version: 0 } : await store.write({ op: 'set', key, value })
      const result = await other.write({ op: 'patch', key, patch, author: freshAuthor() })
      expect(result.base).toBe(version)
      expect(await store.read([key])).toEqual([{ key, version: result.version, value: merged }])
    }
  })

  test('[S8] concurrent patches of different properties are all kept, also increments', async () => {
    const { store, other } = use()
    const key = freshKey()
    await store.write({ op: 'set', key, value: { kept: [] } })
    const names = Array.from({ length: 60 }, (_, place) => `p${place}`)
    const results = await Promise.all(
      names.map((name, place) =>
        (place % 2 === 0 ? store : other).write({
          op: 'patch',
          key,
          patch: { [name]: place },
          ...(place % 3 === 0 ? {} : { author: freshAuthor() }),
        }),
      ),
    )
    expect(await store.read([key])).toMatchObject([
      { value: { kept: [], ...Object.fromEntries(names.map((name, place) => [name, place])) } },
    ])
    for (const { version, base } of results) expect(base).toBeLessThanOrEqual(version)
  })

  test('[S8] consecutive patches are applied in their order', async () => {
    const { store } = use()
    const key = freshKey()
    await Promise.all(Array.from({ length: 30 }, (_, last) => store.write({ op: 'patch', key, patch: { last } })))
    expect(await store.read([key])).toMatchObject([{ value: { last: 29 } }])
  })

  test('[S8] a patch after any other write or foreign value merges into the newest', async () => {
    const { store, other, put } = use()
    const key = freshKey()
    await store.write({ op: 'patch', key, patch: { a: 1 } })
    await other.write({ op: 'set', key, value: { b: 2 } })
    await store.write({ op: 'patch', key, patch: { c: 3 } })
    expect(await store.read([key])).toMatchObject([{ value: { b: 2, c: 3 } }])
    const { version } = await other.write({ op: 'remove', key })
    expect(await store.write({ op: 'patch', key, patch: { d: 4 } })).toMatchObject({ base: version })
    expect(await store.read([key])).toMatchObject([{ value: { d: 4 } }])
    const foreign = freshKey()
    await put(foreign, '{ "x": 1 }')
    await store.write({ op: 'patch', key: foreign, patch: { y: 2 } })
    expect(await store.read([foreign])).toMatchObject([{ value: { x: 1, y: 2 } }])
  })

  test('[S8] listeners receive the patch if smaller, else the value; both lead to it', async () => {
    const { store, other } = use()
    const key = freshKey()
    const announced = await record(other, key)
    await store.write({ op: 'patch', key, patch: { a: 1, gone: null } })
    await store.write({ op: 'patch', key, patch: { text: 'x'.repeat(100) } })
    await store.write({ op: 'patch', key, patch: { a: 2 } })
    await store.write({ op: 'patch', key, patch: { text: null } })
    const changes = await announced.count(4)
    let cached: JsonValue | undefined
    let version = 0
    for (const change of changes) {
      if (change.patch !== undefined) expect(change.base).toBe(version)
      cached = change.patch === undefined ? change.value : applyPatch(cached, change.patch)
      version = change.version
    }
    expect(changes[2]).toMatchObject({ patch: { a: 2 } })
    expect(changes[2]).not.toHaveProperty('value')
    expect(changes[0]).toHaveProperty('value', { a: 1 })
    expect(await store.read([key])).toEqual([{ key, version, value: cached }])
    announced.stop()
  })

  test('[S8] patches written together are announced as a chain to the stored value', async () => {
    const { store, other } = use()
    const key = freshKey()
    const announced = await record(other, key)
    await store.write({ op: 'set', key, value: { text: 'x'.repeat(200), nested: { a: 1 } } })
    const patches: JsonObject[] = [{ a: 1 }, { nested: null }, { nested: { b: 1 } }, { a: null }, { nested: 5 }, { nested: { c: [] } }]
    const results = await Promise.all(patches.map((patch) => store.write({ op: 'patch', key, patch })))
    const last = Math.max(...results.map(({ version }) => version))
    const [entry] = await store.read([key])
    let cached: JsonValue | undefined
    for (let place = 0, version = 0; version < last; place++) {
      const change = (await announced.count(place + 1))[place]
      if (change?.patch !== undefined) expect(change.base).toBe(version)
      cached = change?.patch === undefined ? change?.value : applyPatch(cached, change.patch)
      version = change?.version ?? last
    }
    expect(entry).toEqual({ key, version: last, value: cached })
    announced.stop()
  })

  test('[S8] a patch that is not a JSON object is refused', async () => {
    const { store } = use()
    const notPatches: unknown[] = [null, [], 'text', 5, { a: undefined }, { a: Number.NaN }]
    for (const patch of notPatches) {
      const mutation = { op: 'patch', key: freshKey(), patch: patch as JsonObject } as const
      await expect(store.write(mutation)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    }
  })
}
