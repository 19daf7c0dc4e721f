// @vitest-environment happy-dom
import { eventually } from '@tutti/test-kit'
import { oddValues } from '@tutti/test-kit/odd-values'
import { useRealtimeState, type RealtimeState } from '@tutti/vue'
import { useRealtimeCollection } from '@tutti/vue/collection'
import { expect, onTestFinished, test, vi } from 'vitest'
import { computed, effectScope, nextTick, reactive, ref, watch } from 'vue'
import { mount, serve } from './serve.ts'

const values = [
  ...oddValues,
  { name: 'undefined', make: () => undefined, json: '' },
  { name: 'ref', make: () => ref(1), json: undefined },
  { name: 'computed', make: () => computed(() => 1), json: undefined },
  { name: 'reactive', make: () => reactive({ a: 1 }), json: '{"a":1}' },
  { name: 'reactive list with a ref', make: () => reactive([ref(1)]), json: undefined },
]

type Form = Record<string, unknown>
const initial = { kept: 1, inner: { list: [{ id: 1 }, { id: 2 }] } }

/** A way to put a value into a state, and its resulting path. */
interface Way {
  readonly name: string
  readonly path: string
  readonly run: (state: RealtimeState<Form>, value: unknown) => void
}

const inner = ({ value }: RealtimeState<Form>): { list: unknown[] } & Form => value['inner'] as { list: unknown[] } & Form

const ways: readonly Way[] = [
  { name: 'whole 1', path: 'value', run: (state, value) => void (state.value = value as Form) },
  { name: 'whole 2', path: 'value.odd', run: (state, value) => void (state.value = { odd: value }) },
  { name: 'whole 3', path: 'value.list.0', run: (state, value) => void (state.value = { list: [value] }) },
  { name: 'place 1', path: 'value.odd', run: (state, value) => void (state.value['odd'] = value) },
  { name: 'place 2', path: 'value.inner.odd', run: (state, value) => void (inner(state)['odd'] = value) },
  { name: 'place 3', path: 'value.inner.list.0', run: (state, value) => void (inner(state).list[0] = value) },
]

/** The stored value afterwards, for values that JSON can represent. */
const storedAs = (way: string, json: string): string => {
  if (json === '') return way === 'whole 1' ? 'removed' : way === 'whole 2' ? '{}' : '{"kept":1,"inner":{"list":[{"id":1},{"id":2}]}}'
  if (way === 'whole 1') return json
  if (way === 'whole 2') return `{"odd":${json}}`
  if (way === 'whole 3') return `{"list":[${json}]}`
  if (way === 'place 1') return `{"kept":1,"inner":{"list":[{"id":1},{"id":2}]},"odd":${json}}`
  if (way === 'place 2') return `{"kept":1,"inner":{"list":[{"id":1},{"id":2}],"odd":${json}}}`
  return `{"kept":1,"inner":{"list":[${json},{"id":2}]}}`
}

test('[S24] each odd value is stored as JSON or rejected once, in every position', async () => {
  const problems = ['warn', 'error'] as const
  const spies = problems.map((name) => vi.spyOn(console, name).mockImplementation(() => {}))
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()))
  const server = await serve()
  const cells = values.flatMap(({ name, make, json }) =>
    ways.map((way) => {
      // `undefined` is valid JSON only as a property, which is omitted.
      const expected = json === '' && way.name.endsWith('3') ? undefined : json
      return { key: `cell:${name}:${way.name}`.replaceAll(' ', '_'), name, make, expected, way }
    }),
  )
  for (const { key } of cells) await server.realtime.state.set(key, structuredClone(initial))
  const { result: states } = mount(server.url, () => cells.map(({ key }) => useRealtimeState<Form>(key, {})))
  await eventually(() => expect(states.filter(({ loading }) => loading.value)).toEqual([]))

  const outcomes = new Map<string, string[]>()
  for (const [index, { key, name, make, expected, way }] of cells.entries()) {
    const state = states[index]
    if (!state) throw new Error('There is no state.')
    const errors: string[] = []
    let runs = 0
    const scope = effectScope()
    scope.run(() => {
      watch(state.error, (error) => error && errors.push(error.message), { flush: 'sync' })
      watch(state, () => (runs += 1), { deep: 1, flush: 'sync' })
    })
    try {
      way.run(state, make())
    } catch (error) {
      // Vue reads it during the assignment, which then has no effect.
      expect([name, way.name.slice(0, 5)]).toEqual(['revoked proxy', 'place'])
      errors.push(`Invalid value at ${way.path}: ${String(error)} is not JSON.`)
    }
    await nextTick()
    scope.stop()
    const shown = state.value
    await state.sync().catch((error: unknown) => expect(expected, `${key}: ${String(error)}`).toBe(undefined))
    const entry = await server.realtime.state.get(key)
    const stored = 'value' in entry ? JSON.stringify(entry.value) : 'removed'
    const outcome = stored === 'removed' ? 'removed' : expected === '' ? 'left out' : 'stored'
    outcomes.set(name, [...(outcomes.get(name) ?? []), errors.length === 0 ? outcome : `invalid ×${errors.length}`])
    if (expected === undefined) {
      expect(errors, key).toEqual([expect.stringContaining(`Invalid value at ${way.path}`)])
      expect([shown, stored], key).toEqual([initial, JSON.stringify(initial)])
    } else {
      expect(errors, key).toEqual([])
      expect(stored, key).toBe(storedAs(way.name, expected))
      expect(JSON.stringify(state.value), key).toBe(stored === 'removed' ? '{}' : stored)
    }
    expect(runs, key).toBeLessThan(20)

    // The key remains usable: changes in place and assignments work.
    if (way.name !== 'whole 1' || expected === undefined) {
      state.value['later'] = index
      await state.sync()
      expect(state.error.value, key).toBe(undefined)
    }
    await state.set({ last: index })
    expect(await server.realtime.state.get(key), key).toMatchObject({ value: { last: index } })
  }
  console.log([['', ...ways.map((way) => way.name)], ...[...outcomes].map((row) => row.flat())].map((row) => row.join(' | ')).join('\n'))
  expect(spies.flatMap(({ mock }) => mock.calls)).toEqual([])
})

/** Changes in place other than the assignment of one value. */
const changes: Readonly<Record<string, (state: RealtimeState<Form>) => void>> = {
  'value.inner.list.0': (state) => Reflect.deleteProperty(inner(state).list, 0),
  'value.inner.list.2': (state) => (inner(state).list.length = 5),
  'value.inner.list.1': (state) => inner(state).list.splice(1, 1, undefined),
  'value.kept': (state) => Object.assign(state.value, { kept: Number.NaN, other: 1 }),
  'value.inner': (state) => (state.value['inner'] = ref(state.value['inner'])),
}

test('[S24] a change in place that is not JSON is reverted, and objects stay the same', async () => {
  const server = await serve()
  await server.realtime.state.set('form', structuredClone(initial))
  const { result: state } = mount(server.url, () => useRealtimeState<Form>('form', {}))
  await eventually(() => expect(state.loading.value).toBe(false))
  const [form, list] = [state.value, inner(state).list]
  let count = 0
  for (const [path, change] of Object.entries(changes)) {
    change(state)
    await expect(state.sync(), path).rejects.toThrow(`Invalid value at ${path}`)
    expect(state.error.value, path).toMatchObject({ code: 'INVALID_VALUE' })
    expect([state.value, state.pending.value, state.isDirty.value], path).toEqual([{ ...initial, ...(count && { count }) }, false, false])
    // Objects of the application are still part of the state, unless it replaced them.
    expect([state.value === form, inner(state).list === list || path === 'value.inner'], path).toEqual([true, true])
    form['count'] = ++count
    await nextTick()
    await state.sync()
    expect(await server.realtime.state.get('form'), path).toMatchObject({ value: { ...initial, count } })
  }
  expect(server.of('storage:patch')).toHaveLength(count)
  expect(server.of('storage:set')).toEqual([])
})

test('[S24] each odd value is rejected by every method, in states and collections', async () => {
  const server = await serve()
  await server.realtime.state.set('items:1', { kept: 1 })
  const { result } = mount(server.url, () => {
    const odd = values.filter(({ json }) => json === undefined)
    const make = (value: unknown) => () => useRealtimeState('default', value)
    for (const { name, make: value } of odd) expect(make({ list: [value()] }), name).toThrow('Invalid value at value.list.0')
    return { odd, state: useRealtimeState<unknown>('state', { kept: 1 }), todos: useRealtimeCollection<Form>('items:') }
  })
  const { odd, state, todos } = result
  await eventually(() => expect([state.loading.value, todos.loading.value]).toEqual([false, false]))
  const item = todos.items.value[0]
  if (!item) throw new Error('There is no item.')
  const methods: Readonly<Record<string, (value: unknown) => Promise<unknown>>> = {
    set: (value) => state.set({ odd: value }),
    patch: (value) => state.patch({ odd: value }),
    'patch itself': (value) => state.patch(value as never),
    update: (value) => state.update(() => ({ odd: value })),
    increment: (value) => state.increment(value as number),
    'items set': (value) => todos.set('items:1', { odd: value }),
    'items patch': (value) => todos.patch('items:1', { odd: value }),
    'items update': (value) => todos.update('items:1', () => ({ odd: value })),
  }
  for (const { name, make } of odd) {
    for (const [method, run] of Object.entries(methods)) {
      await expect(run(make()), `${method} ${name}`).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    }
    todos.add({ odd: make() })
    expect(todos.error.value, `add ${name}`).toMatchObject({ code: 'INVALID_VALUE' })
    item.value = { odd: make() }
    expect(todos.error.value, `item ${name}`).toMatchObject({ message: expect.stringContaining('value.odd') })
    if (name !== 'revoked proxy') item.value['odd'] = make()
    await nextTick()
    expect(todos.error.value, `item in place ${name}`).toMatchObject({ message: expect.stringContaining('value.odd') })
    expect([state.value, todos.items.value.map(({ value }) => value)], name).toEqual([{ kept: 1 }, [{ kept: 1 }]])
  }
  expect(server.messages.filter(({ name }) => !name.endsWith('subscribe'))).toEqual([])
  item.value['kept'] = 2
  await nextTick()
  await eventually(() => expect(item.pending).toBe(false))
  expect(await server.realtime.state.get('items:1')).toMatchObject({ value: { kept: 2 } })
})
