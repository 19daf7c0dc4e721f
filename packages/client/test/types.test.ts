import { createRealtimeClient, type EventData, type RealtimeClient, type StateSnapshot } from '@tutti/client'
import { collection } from '@tutti/client/collection'
import { presence } from '@tutti/client/presence'
import { defineSchema } from '@tutti/protocol'
import { afterAll, describe, expectTypeOf, test } from 'vitest'
import { ModelServer } from './model-server.ts'

interface Message {
  text: string
}

interface Channels {
  [channel: `chat:${string}`]: Message
  presence: number
}

const client = createRealtimeClient<Channels>({ transport: new ModelServer().transport })
afterAll(() => client.close())

test('[S10] with a default a value is always defined, without one possibly undefined', () => {
  const count = client.state('count', { default: 0 })
  expectTypeOf(count.current).toEqualTypeOf<StateSnapshot<number>>()
  const name = client.state<string>('name')
  expectTypeOf(name.current.value).toEqualTypeOf<string | undefined>()
  expectTypeOf(name.set).parameter(0).toEqualTypeOf<string>()
  expectTypeOf(count.update).parameter(0).toEqualTypeOf<(value: number) => number | undefined>()
})

test('[S8] a patch names properties, null removes one, arrays are replaced', () => {
  const doc = client.state<{ title: string; tags: string[]; author: { name: string } }>('doc')
  type Patch = Parameters<typeof doc.patch>[0]
  expectTypeOf<{ title: null }>().toExtend<Patch>()
  expectTypeOf<{ author: { name: string } }>().toExtend<Patch>()
  expectTypeOf<{ tags: string[] }>().toExtend<Patch>()
  expectTypeOf<{ title: number }>().not.toExtend<Patch>()
  expectTypeOf<{ other: string }>().not.toEqualTypeOf<Patch>()
})

test('[E3] channels and patterns have the types of their data, or unknown', () => {
  client.events.subscribe('chat:room1', (data) => expectTypeOf(data).toEqualTypeOf<Message>())
  client.events.subscribe('chat:*', (data) => expectTypeOf(data).toEqualTypeOf<Message>())
  client.events.subscribe('presence', (data) => expectTypeOf(data).toEqualTypeOf<number>())
  client.events.subscribe('*', (data) => expectTypeOf(data).toEqualTypeOf<unknown>())
  expectTypeOf(client.events.publish<'presence'>)
    .parameter(1)
    .toEqualTypeOf<number>()
})

describe('a schema that server and client share', () => {
  interface Todo {
    title: string
    done: boolean
  }
  const given = <Value>() => ({
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: () => ({ issues: [] }),
      types: { input: {} as Value, output: {} as Value },
    },
  })
  const schema = defineSchema({
    state: { 'todos:*': given<Todo>(), 'todos:count': given<number>(), theme: given<'light' | 'dark'>() },
    events: { 'chat:*': given<Message>(), 'chat:system:*': given<{ level: number }>() },
    presence: { 'doc:*': given<{ name: string }>() },
    rooms: { 'board:*': { presence: given<{ color: string }>() }, 'doc:*': { state: {} } },
  })
  const typed = createRealtimeClient<typeof schema>({ transport: new ModelServer().transport })
  afterAll(() => typed.close())

  test('[X6] gives handles their types by key', () => {
    const todo = typed.state('todos:1')
    expectTypeOf(todo.current).toEqualTypeOf<StateSnapshot<Todo | undefined>>()
    expectTypeOf(todo.set).parameter(0).toEqualTypeOf<Todo>()
    const id: string = 'a'
    expectTypeOf(typed.state(`todos:${id}`).set)
      .parameter(0)
      .toEqualTypeOf<Todo>()
    expectTypeOf(typed.state('todos:count', { default: 0 }).current.value).toEqualTypeOf<number>()
    expectTypeOf(typed.state('theme').current.value).toEqualTypeOf<'light' | 'dark' | undefined>()
    expectTypeOf(typed.state('other').current.value).toEqualTypeOf<unknown>()
    // @ts-expect-error -- a theme is no number
    typed.state('theme', { default: 7 })
    // @ts-expect-error -- a todo has a title
    expectTypeOf(todo.set).toBeCallableWith({ done: true })
    expectTypeOf<{ title: null }>().toExtend<Parameters<typeof todo.patch>[0]>()
    expectTypeOf<{ title: 7 }>().not.toExtend<Parameters<typeof todo.patch>[0]>()
  })

  test('[X6] [E3] gives events their data by channel, and a pattern the union of them', () => {
    typed.events.subscribe('chat:room1', (data) => expectTypeOf(data).toEqualTypeOf<Message>())
    typed.events.subscribe('chat:system:up', (data) => expectTypeOf(data).toEqualTypeOf<{ level: number }>())
    typed.events.subscribe('chat:*', (data) => expectTypeOf(data).toEqualTypeOf<Message | { level: number }>())
    typed.events.subscribe('*', (data) => expectTypeOf(data).toEqualTypeOf<unknown>())
    expectTypeOf(typed.events.publish<'chat:room1'>)
      .parameter(1)
      .toEqualTypeOf<Message>()
    expectTypeOf(typed.events.publish<'other'>)
      .parameter(1)
      .toEqualTypeOf<unknown>()
  })

  test('[X6] gives members their info by room', () => {
    const rooms = (id: string) => {
      expectTypeOf(presence(typed, `doc:${id}`).update)
        .parameter(0)
        .toEqualTypeOf<{ name: string }>()
      expectTypeOf(presence(typed, 'board:1', { info: { color: 'red' } }).update)
        .parameter(0)
        .toEqualTypeOf<{ color: string }>()
      expectTypeOf(presence(typed, 'lobby', { info: { age: 5 } }).update)
        .parameter(0)
        .toEqualTypeOf<{ age: number }>()
      expectTypeOf(presence<{ age: number }, { x: number }>(client, 'doc:1').cursors.set).parameter(0).toEqualTypeOf<{ x: number } | null>()
      // @ts-expect-error -- the name is text
      presence(typed, 'doc:1', { info: { name: 5 } })
    }
    expectTypeOf(rooms).toBeFunction()
  })

  test('[X6] with one part leaves the other open', () => {
    const { state } = schema
    expectTypeOf<RealtimeClient<{ state: typeof state }>['state']>().toEqualTypeOf<(typeof typed)['state']>()
    expectTypeOf<EventData<{ state: typeof state }, 'chat:room1'>>().toEqualTypeOf<unknown>()
  })

  test('[S17] a client with types is one for collections', () => {
    expectTypeOf(collection<Todo>).toBeCallableWith(typed, 'todos:')
  })
})
