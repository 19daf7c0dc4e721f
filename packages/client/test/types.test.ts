import { createRealtimeClient, type StateSnapshot } from '@tutti/client'
import { afterAll, expectTypeOf, test } from 'vitest'
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

test('[S10] with a default a value is always there; without one it may be undefined', () => {
  const count = client.state('count', { default: 0 })
  expectTypeOf(count.current).toEqualTypeOf<StateSnapshot<number>>()
  const name = client.state<string>('name')
  expectTypeOf(name.current.value).toEqualTypeOf<string | undefined>()
  expectTypeOf(name.set).parameter(0).toEqualTypeOf<string>()
  expectTypeOf(count.update).parameter(0).toEqualTypeOf<(value: number) => number | undefined>()
})

test('[S8] a patch names properties, null removes one, arrays are whole', () => {
  const doc = client.state<{ title: string; tags: string[]; author: { name: string } }>('doc')
  type Patch = Parameters<typeof doc.patch>[0]
  expectTypeOf<{ title: null }>().toExtend<Patch>()
  expectTypeOf<{ author: { name: string } }>().toExtend<Patch>()
  expectTypeOf<{ tags: string[] }>().toExtend<Patch>()
  expectTypeOf<{ title: number }>().not.toExtend<Patch>()
  expectTypeOf<{ other: string }>().not.toEqualTypeOf<Patch>()
})

test('[E3] channels and patterns give their data its type; unknown ones give unknown', () => {
  client.events.subscribe('chat:room1', (data) => expectTypeOf(data).toEqualTypeOf<Message>())
  client.events.subscribe('chat:*', (data) => expectTypeOf(data).toEqualTypeOf<Message>())
  client.events.subscribe('presence', (data) => expectTypeOf(data).toEqualTypeOf<number>())
  client.events.subscribe('*', (data) => expectTypeOf(data).toEqualTypeOf<unknown>())
  expectTypeOf(client.events.publish<'presence'>)
    .parameter(1)
    .toEqualTypeOf<number>()
})
