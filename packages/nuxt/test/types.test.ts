import { defineSchema } from '@tutti/protocol'
import type { RealtimeState } from '@tutti/vue'
import type { RealtimeItem } from '@tutti/vue/collection'
import * as v from 'valibot'
import { expectTypeOf, test } from 'vitest'
import type { ComputedRef } from 'vue'
import { useRealtime } from '../src/runtime/app/use-realtime'
import { useRealtimeChannel } from '../src/runtime/app/use-realtime-channel'
import { useRealtimeCollection } from '../src/runtime/app/use-realtime-collection'
import { useRealtimeEvents } from '../src/runtime/app/use-realtime-events'
import { useRealtimeMessages } from '../src/runtime/app/use-realtime-messages'
import { useRealtimePresence } from '../src/runtime/app/use-realtime-presence'
import { useRealtimeState } from '../src/runtime/app/use-realtime-state'
import { useRealtimeServer } from '../src/runtime/server/use-realtime-server'

const schema = defineSchema({
  state: { count: v.number(), 'todos:*': v.object({ text: v.string() }) },
  events: { 'chat:*': v.object({ text: v.string() }) },
  presence: { 'doc:*': v.object({ name: v.string() }) },
  messages: { saved: v.object({ by: v.string() }), 'chat:*': v.string() },
  rooms: { 'board:*': { presence: v.object({ color: v.string() }) } },
})

declare module '../src/runtime/register' {
  interface RealtimeRegister {
    schema: typeof schema
  }
}

interface Todo {
  text: string
}

// Never run: their types are the test.
const states = (id: string) => ({
  todo: useRealtimeState('todos:1'),
  byTemplate: useRealtimeState(`todos:${id}`),
  getter: useRealtimeState(() => 'todos:1' as const),
  withDefault: useRealtimeState('todos:1', { text: '' }),
  count: useRealtimeState('count', 0),
  named: useRealtimeState<number>('other', 0),
  inferred: useRealtimeState('other', ''),
  maybe: useRealtimeState<number>('other'),
  // @ts-expect-error the default is no todo
  wrongDefault: () => useRealtimeState('todos:1', 5),
  todos: useRealtimeCollection('todos:'),
  others: useRealtimeCollection<number>('others:'),
})
type States = ReturnType<typeof states>

test('[X6] the schema of the application types its keys', () => {
  expectTypeOf<States['todo']>().toEqualTypeOf<RealtimeState<Todo | undefined>>()
  expectTypeOf<States['byTemplate']>().toEqualTypeOf<RealtimeState<Todo | undefined>>()
  expectTypeOf<States['getter']>().toEqualTypeOf<RealtimeState<Todo | undefined>>()
  expectTypeOf<States['withDefault']>().toEqualTypeOf<RealtimeState<Todo>>()
  expectTypeOf<States['count']>().toEqualTypeOf<RealtimeState<number>>()
  expectTypeOf<States['todos']['items']>().toEqualTypeOf<ComputedRef<readonly RealtimeItem<Todo>[]>>()
})

test('[X6] keys without a schema have the types that the application names', () => {
  expectTypeOf<States['named']>().toEqualTypeOf<RealtimeState<number>>()
  expectTypeOf<States['inferred']>().toEqualTypeOf<RealtimeState<string>>()
  expectTypeOf<States['maybe']>().toEqualTypeOf<RealtimeState<number | undefined>>()
  expectTypeOf<States['others']['items']>().toEqualTypeOf<ComputedRef<readonly RealtimeItem<number>[]>>()
})

test('[X6] the schema types events and the client', () => {
  const events = () => {
    useRealtimeEvents().subscribe('chat:lobby', (message) => expectTypeOf(message).toEqualTypeOf<{ text: string }>())
    expectTypeOf(useRealtimeChannel('chat:lobby').publish).parameter(0).toEqualTypeOf<{ text: string }>()
    expectTypeOf(useRealtimeChannel<number>('other').publish).parameter(0).toEqualTypeOf<number>()
    useRealtimeEvents<{ other: number }>().subscribe('other', (data) => expectTypeOf(data).toEqualTypeOf<number>())
    expectTypeOf(useRealtime().state('count').current.value).toEqualTypeOf<number | undefined>()
  }
  expectTypeOf(events).toBeFunction()
})

test('[X6] the schema types the info of members', () => {
  const presence = (id: string) => ({
    document: useRealtimePresence(() => `doc:${id}` as const, { info: { name: 'Ann' } }),
    observed: useRealtimePresence('doc:1'),
    // @ts-expect-error the name is text
    wrong: () => useRealtimePresence('doc:1', { info: { name: 5 } }),
    board: useRealtimePresence('board:1'),
    lobby: useRealtimePresence('lobby', { info: { age: 5 } }),
    named: useRealtimePresence<{ age: number }>('lobby'),
  })
  type Presence = ReturnType<typeof presence>
  type InfoOf<Name extends keyof Presence> = Presence[Name] extends { members: ComputedRef<readonly { info: infer Info }[]> } ? Info : never
  expectTypeOf<InfoOf<'document'>>().toEqualTypeOf<{ name: string }>()
  expectTypeOf<InfoOf<'observed'>>().toEqualTypeOf<{ name: string }>()
  expectTypeOf<InfoOf<'board'>>().toEqualTypeOf<{ color: string }>()
  expectTypeOf<InfoOf<'lobby'>>().toEqualTypeOf<{ age: number }>()
  expectTypeOf<InfoOf<'named'>>().toEqualTypeOf<{ age: number }>()
})

test('[X6] the schema types messages of server code', () => {
  const messages = () => {
    const { subscribe } = useRealtimeMessages()
    subscribe('saved', (data, { room }) => expectTypeOf({ data, room }).toEqualTypeOf<{ data: { by: string }; room: string | undefined }>())
    subscribe('chat:*', (text) => expectTypeOf(text).toEqualTypeOf<string>())
    subscribe<number>('other', (data) => expectTypeOf(data).toEqualTypeOf<number>())
    // @ts-expect-error a text is sent
    subscribe('chat:lobby', (data: number) => data)
  }
  expectTypeOf(messages).toBeFunction()
})

test('[X6] the schema types the state and events of server code, also of a user', () => {
  const server = () => {
    const { state, events, as } = useRealtimeServer()
    for (const ofServer of [state, as({ id: 'ann' }).state]) {
      const todo = async () => {
        const entry = await ofServer.get('todos:1')
        return 'value' in entry ? entry.value : undefined
      }
      expectTypeOf(todo).returns.toEqualTypeOf<Promise<Todo | undefined>>()
      const todos = async () => (await ofServer.list('todos:')).entries.flatMap((entry) => ('value' in entry ? [entry.value] : []))
      expectTypeOf(todos).returns.toEqualTypeOf<Promise<Todo[]>>()
      void ofServer.set('todos:1', { text: '' }, { ttlMs: 1000 })
      void ofServer.patch('todos:1', { text: '' })
      void ofServer.set('other', [1])
      void ofServer.patch('other', { any: 1 })
      // @ts-expect-error a number is no todo
      void ofServer.set('todos:1', 5)
      // @ts-expect-error a todo has no such property
      void ofServer.patch('todos:1', { done: true })
    }
    void events.publish('chat:lobby', { text: '' })
    // @ts-expect-error a message is an object
    void events.publish('chat:lobby', '')
    void events.publish('other', '')
  }
  expectTypeOf(server).toBeFunction()
})
