import { useRealtime, useRealtimeEvents, useRealtimeState, type RealtimeState } from '@tutti/vue'
import { useRealtimeCollection, type RealtimeItem } from '@tutti/vue/collection'
import { useRealtimeChannel } from '@tutti/vue/durable'
import { useRealtimeMessages } from '@tutti/vue/messages'
import { useRealtimePresence } from '@tutti/vue/presence'
import { expectTypeOf, test } from 'vitest'
import type { ComputedRef } from 'vue'

const shape = <Value>(value: Value) => ({
  '~standard': { version: 1 as const, vendor: 'test', validate: () => ({ issues: [] }), types: { input: value, output: value } },
})

// All tests of this package have this register: no other test uses these names.
const schema = {
  state: { 'typed:count': shape(0), 'typed:todos:*': shape({ text: '' }) },
  events: { 'typed:*': shape({ text: '' }) },
  presence: { 'typed:*': shape({ name: '' }) },
  messages: { 'typed:saved': shape({ by: '' }), 'typed:chat:*': shape('') },
  rooms: { 'typed-board:*': { presence: shape({ color: '' }) } },
}

declare module '@tutti/vue' {
  interface RealtimeRegister {
    schema: typeof schema
  }
}

interface Todo {
  text: string
}

// Never run: their types are the test.
const states = (id: string) => ({
  todo: useRealtimeState('typed:todos:1'),
  byTemplate: useRealtimeState(`typed:todos:${id}`),
  getter: useRealtimeState(() => 'typed:todos:1' as const),
  withDefault: useRealtimeState('typed:todos:1', { text: '' }),
  count: useRealtimeState('typed:count', 0),
  named: useRealtimeState<number>('other', 0),
  namedText: useRealtimeState<string>('other'),
  inferred: useRealtimeState('other', ''),
  maybe: useRealtimeState<number>(() => `other:${id}`),
  // @ts-expect-error the default is no todo
  wrongDefault: () => useRealtimeState('typed:todos:1', 5),
  todos: useRealtimeCollection('typed:todos:'),
  others: useRealtimeCollection<number>('others:'),
  texts: useRealtimeCollection<string>('others:'),
})
type States = ReturnType<typeof states>
type Items<Value> = ComputedRef<readonly RealtimeItem<Value>[]>

test('[X6] the registered schema types keys', () => {
  expectTypeOf<States['todo']>().toEqualTypeOf<RealtimeState<Todo | undefined>>()
  expectTypeOf<States['byTemplate']>().toEqualTypeOf<RealtimeState<Todo | undefined>>()
  expectTypeOf<States['getter']>().toEqualTypeOf<RealtimeState<Todo | undefined>>()
  expectTypeOf<States['withDefault']>().toEqualTypeOf<RealtimeState<Todo>>()
  expectTypeOf<States['count']>().toEqualTypeOf<RealtimeState<number>>()
  expectTypeOf<States['todos']['items']>().toEqualTypeOf<Items<Todo>>()
})

test('[X6] keys without a schema have the types that the application names', () => {
  expectTypeOf<States['named']>().toEqualTypeOf<RealtimeState<number>>()
  expectTypeOf<States['namedText']>().toEqualTypeOf<RealtimeState<string | undefined>>()
  expectTypeOf<States['inferred']>().toEqualTypeOf<RealtimeState<string>>()
  expectTypeOf<States['maybe']>().toEqualTypeOf<RealtimeState<number | undefined>>()
  expectTypeOf<States['others']['items']>().toEqualTypeOf<Items<number>>()
  expectTypeOf<States['texts']['items']>().toEqualTypeOf<Items<string>>()
})

test('[X6] the registered schema types events, durable channels and the client', () => {
  const events = () => {
    useRealtimeEvents().subscribe('typed:lobby', (message) => expectTypeOf(message).toEqualTypeOf<{ text: string }>())
    useRealtimeEvents<{ other: number }>().subscribe('other', (data) => expectTypeOf(data).toEqualTypeOf<number>())
    expectTypeOf(useRealtimeChannel('typed:lobby').publish).parameter(0).toEqualTypeOf<{ text: string }>()
    expectTypeOf(useRealtimeChannel<string>('other').publish).parameter(0).toEqualTypeOf<string>()
    expectTypeOf(useRealtime().state('typed:count').current.value).toEqualTypeOf<number | undefined>()
  }
  expectTypeOf(events).toBeFunction()
})

test('[X6] the registered schema types the info of members', () => {
  const presence = (id: string) => ({
    joined: useRealtimePresence(() => `typed:${id}` as const, { info: { name: 'Ann' } }),
    observed: useRealtimePresence('typed:1'),
    // @ts-expect-error the name is text
    wrong: () => useRealtimePresence('typed:1', { info: { name: 5 } }),
    board: useRealtimePresence('typed-board:1'),
    lobby: useRealtimePresence('lobby', { info: { age: 5 } }),
    named: useRealtimePresence<{ age: number }>(id),
  })
  type Presence = ReturnType<typeof presence>
  type InfoOf<Name extends keyof Presence> = Presence[Name] extends { members: ComputedRef<readonly { info: infer Info }[]> } ? Info : never
  expectTypeOf<InfoOf<'joined'>>().toEqualTypeOf<{ name: string }>()
  expectTypeOf<InfoOf<'observed'>>().toEqualTypeOf<{ name: string }>()
  expectTypeOf<InfoOf<'board'>>().toEqualTypeOf<{ color: string }>()
  expectTypeOf<InfoOf<'lobby'>>().toEqualTypeOf<{ age: number }>()
  expectTypeOf<InfoOf<'named'>>().toEqualTypeOf<{ age: number }>()
})

test('[X6] the registered schema types messages of server code', () => {
  const messages = () => {
    const { subscribe } = useRealtimeMessages()
    subscribe('typed:saved', (data, { room }) =>
      expectTypeOf({ data, room }).toEqualTypeOf<{ data: { by: string }; room: string | undefined }>(),
    )
    subscribe('typed:chat:*', (text) => expectTypeOf(text).toEqualTypeOf<string>())
    subscribe<number>('other', (data) => expectTypeOf(data).toEqualTypeOf<number>())
    // @ts-expect-error a text is sent
    subscribe('typed:chat:lobby', (data: number) => data)
  }
  expectTypeOf(messages).toBeFunction()
})
