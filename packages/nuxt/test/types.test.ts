import { defineSchema } from '@tutti/protocol'
import * as v from 'valibot'
import { expectTypeOf, test } from 'vitest'
import { useRealtimePresence, useRealtimeState, type RealtimeState } from '../src/runtime/app/composables'
import { useRealtimeServer } from '../src/runtime/server/use-realtime-server'

const schema = defineSchema({
  state: { count: v.number(), 'todos:*': v.object({ text: v.string() }) },
  events: { 'chat:*': v.object({ text: v.string() }) },
  presence: { 'doc:*': v.object({ name: v.string() }) },
})

declare module '@tutti/vue' {
  interface RealtimeRegister {
    schema: typeof schema
  }
}

interface Todo {
  text: string
}

test('[X6] the schema of the application types its composables', () => {
  const page = () => {
    expectTypeOf(useRealtimeState('todos:1')).toEqualTypeOf<RealtimeState<Todo | undefined>>()
    expectTypeOf(useRealtimePresence('doc:1').update).parameter(0).toEqualTypeOf<{ name: string }>()
  }
  expectTypeOf(page).toBeFunction()
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
