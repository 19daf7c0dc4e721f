import { useRealtimeEvents, useRealtimeState, type RealtimeState } from '@tutti/vue'
import { useRealtimeCollection } from '@tutti/vue/collection'
import { expectTypeOf, test } from 'vitest'
import { isRef, type Ref } from 'vue'

interface Form {
  name: string
  tags: string[]
  address: { town: string; street?: string }
}

// Never run: their types are the test.
const states = () => ({
  count: useRealtimeState('count', 0),
  form: useRealtimeState<Form>(() => 'form', { name: '', tags: [], address: { town: '' } }, { strategy: 'debounced' }),
  maybe: useRealtimeState<Form>('maybe'),
})
type States = ReturnType<typeof states>

test('[S10] the value has the type of the default, without one possibly undefined', () => {
  expectTypeOf<States['count']>().toEqualTypeOf<RealtimeState<number>>()
  expectTypeOf<States['count']>().toExtend<Ref<number>>()
  expectTypeOf<States['maybe']['value']>().toEqualTypeOf<Form | undefined>()
  expectTypeOf<States['form']['loading']['value']>().toEqualTypeOf<boolean>()
  expectTypeOf(isRef<number>).toBeCallableWith({} as States['count'])
})

test('[S8] a patch names some properties, at any depth, and null removes one', () => {
  type Patch = Parameters<States['form']['patch']>[0]
  expectTypeOf<{ name: string; address: { street: null } }>().toExtend<Patch>()
  expectTypeOf<{ nme: string }>().not.toExtend<Patch>()
  expectTypeOf<{ tags: number[] }>().not.toExtend<Patch>()
})

test('[S9] an update receives and returns the value', () => {
  expectTypeOf<States['form']['update']>().parameter(0).parameter(0).toEqualTypeOf<Form>()
  expectTypeOf<States['form']['update']>().parameter(0).returns.toEqualTypeOf<Form | undefined>()
})

test('[E3] events are typed by their channel', () => {
  const events = () => useRealtimeEvents<{ [channel: `chat:${string}`]: { text: string }; ping: number }>()
  const typed = (use: ReturnType<typeof events>) => {
    use.subscribe('chat:*', ({ text }) => expectTypeOf(text).toEqualTypeOf<string>())
    use.subscribe('other', (data) => expectTypeOf(data).toEqualTypeOf<unknown>())
    void use.publish('ping', 1)
    // @ts-expect-error -- a chat has texts
    void use.publish('chat:room1', 1)
  }
  expectTypeOf(typed).toBeFunction()
})

test('[S17] a collection has items of its type, with mutable values', () => {
  const todos = () => useRealtimeCollection<{ text: string; done?: boolean }>('todos:')
  type Todos = ReturnType<typeof todos>
  type Item = Todos['items']['value'][number]
  expectTypeOf<Item['value']>().toEqualTypeOf<{ text: string; done?: boolean }>()
  expectTypeOf<{ done: null }>().toExtend<Parameters<Todos['patch']>[1]>()
  expectTypeOf<{ done: string }>().not.toExtend<Parameters<Todos['patch']>[1]>()
  const typed = ({ add }: Todos, item: Item) => {
    item.value.done = true
    // @ts-expect-error -- the list is the collection's
    item.key = 'other'
    // @ts-expect-error -- a text is missing
    add({ done: true })
  }
  expectTypeOf(typed).toBeFunction()
})

test('[X6] [E3] events are typed by the schema that the server validates', () => {
  const table = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: () => ({ issues: [] }),
      types: { input: { text: '' }, output: { text: '' } },
    },
  }
  const schema = { events: { 'chat:*': table } }
  const events = () => useRealtimeEvents<typeof schema>()
  const typed = (use: ReturnType<typeof events>) => {
    use.subscribe('chat:room1', ({ text }) => expectTypeOf(text).toEqualTypeOf<string>())
    // @ts-expect-error -- a chat has texts
    void use.publish('chat:room1', 1)
  }
  expectTypeOf(typed).toBeFunction()
})
