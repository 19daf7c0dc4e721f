import { collection } from '@tutti/client/collection'
import { oddValues } from '@tutti/test-kit/odd-values'
import { expect, test } from 'vitest'
import { codeOf, connectedClient, settled } from './setup-client.ts'

const invalid = oddValues.filter(({ json }) => json === undefined)

/** A value at each depth, with its path. */
const wraps: readonly (readonly [string, (value: unknown) => unknown])[] = [
  ['value', (value) => value],
  ['value.a', (value) => ({ a: value })],
  ['value.a.0.b', (value) => ({ a: [{ b: value }] })],
]

test.each(['known', 'not yet known'])('[S24] handles and collections of a key that is %s reject each odd value once', async (known) => {
  const { client, server } = await connectedClient()
  const state = client.state<unknown>('state')
  const items = collection<unknown>(client, 'items:')
  if (known === 'known') await server.flush()
  const errors: string[] = []
  state.subscribe(({ error }) => error && errors.push(error.message))
  items.subscribe(({ error }) => error && errors.push(error.message))
  const before = server.log.length
  const methods: Readonly<Record<string, (value: unknown) => Promise<unknown>>> = {
    set: (value) => state.set(value),
    patch: (value) => state.patch({ p: value }),
    'items set': (value) => items.set('items:1', value),
    'items patch': (value) => items.patch('items:1', { p: value }),
    publish: (value) => client.events.publish('chat', value),
  }
  for (const { name, make } of invalid) {
    for (const [path, wrap] of wraps) {
      for (const [method, run] of Object.entries(methods)) {
        const at = method.endsWith('patch') ? path.replace('value', 'value.p') : path
        const cell = `${method} ${name} ${path}`
        errors.length = 0
        const outcome: unknown = await run(wrap(make())).catch((error: unknown) => error)
        expect(outcome, cell).toMatchObject({ code: 'INVALID_VALUE', message: expect.stringContaining(at) })
        expect(new Set(errors).size, cell).toBe(method === 'publish' ? 0 : 1)
      }
      expect(() => client.state('other', { default: wrap(make()) }), `default ${name}`).toThrow(path)
    }
    expect(await codeOf(state.increment(make() as number)), `increment ${name}`).toBe('INVALID_VALUE')
    items.add({ a: make() })
    expect(items.current.error?.message, `add ${name}`).toContain('value.a')
  }
  expect([state.current.value, state.current.pending, items.current.items]).toEqual([undefined, false, []])
  expect(server.log.slice(before)).toEqual([])
  // The keys remain usable.
  void state.set('later')
  await server.flush()
  expect(state.current).toMatchObject({ value: 'later', pending: false, error: undefined })
})

test('[S24] an update with a result that is not JSON is rejected once, at any time', async () => {
  const { client, server } = await connectedClient()
  const early = client.state<unknown>('early')
  const outcomes = invalid.map(({ make }) => codeOf(early.update(() => ({ a: make() }))))
  await server.flush()
  await settled()
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['INVALID_VALUE']))
  for (const { name, make } of invalid) {
    expect(await codeOf(early.update(() => [make()])), name).toBe('INVALID_VALUE')
    expect(early.current.error?.message, name).toContain('value.0')
  }
  expect(server.logged('storage:set')).toEqual([])
})

test('[S24] a JSON value is sent unchanged', async () => {
  const { client, server } = await connectedClient()
  const state = client.state<unknown>('state')
  await server.flush()
  for (const { name, make, json } of oddValues) {
    if (json === undefined) continue
    void state.set({ a: make() })
    expect(JSON.stringify(state.current.value), name).toBe(`{"a":${json}}`)
    await server.flush()
    expect(JSON.stringify(server.logged('storage:set').at(-1)?.value), name).toBe(`{"a":${json}}`)
  }
})
