// @vitest-environment happy-dom
import { publishDurable } from '@tutti/client/durable'
import { eventually } from '@tutti/test-kit'
import { createRealtime, useRealtime } from '@tutti/vue'
import { useRealtimeChannel } from '@tutti/vue/durable'
import { expect, test } from 'vitest'
import { createSSRApp, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { mount, serve } from './serve.ts'

const DURABLE = { durable: { 'chat:*': {} } }
const TEMPLATE =
  '<b v-for="{ offset, data } in records" :key="offset">{{ data }};</b><i v-for="{ id, data } in pending" :key="id">{{ data }}?</i>'

test('[E11] messages written offline and missed ones are shown in one order', async () => {
  const { url, connect } = await serve(DURABLE)
  const other = connect()
  const { result, element } = mount(
    url,
    () => ({ ...useRealtimeChannel<string>('chat:a', { rewind: 20 }), client: useRealtime() }),
    TEMPLATE,
  )
  await result.publish('one')
  await publishDurable(other, 'chat:a', 'two')
  await eventually(() => expect(element.textContent).toBe('one;two;'))
  result.client.connection.disconnect()
  const published = result.publish('four')
  await eventually(() => expect(element.textContent).toBe('one;two;four?'))
  await publishDurable(other, 'chat:a', 'three')
  result.client.connection.connect()
  await published
  await eventually(() => expect(element.textContent).toBe('one;two;three;four;'))
})

test('[E6] older events are loaded by page, and a changed channel is followed', async () => {
  const { url, connect } = await serve(DURABLE)
  const other = connect()
  for (let number = 0; number < 6; number += 1) await publishDurable(other, 'chat:a', number)
  await publishDurable(other, 'chat:b', 'b')
  const channel = ref('chat:a')
  const { result, unmount } = mount(url, () => useRealtimeChannel(channel, { rewind: 2 }))
  const shown = (): unknown[] => result.records.value.map(({ data }) => data)
  expect([result.loading.value, result.gap.value, result.error.value]).toEqual([true, undefined, undefined])
  await eventually(() => expect(shown()).toEqual([4, 5]))
  expect([result.loading.value, result.hasMore.value]).toEqual([false, true])
  await result.loadMore(3)
  expect(shown()).toEqual([1, 2, 3, 4, 5])
  await result.loadMore()
  expect([shown(), result.hasMore.value]).toEqual([[0, 1, 2, 3, 4, 5], false])
  channel.value = 'chat:b'
  await eventually(() => expect(shown()).toEqual(['b']))
  unmount()
})

test('[E6] on a server a channel is empty and loading, and nothing is connected', async () => {
  const setup = () => useRealtimeChannel('chat:a')
  const app = createSSRApp({ setup, template: '{{ records.length }} {{ loading }} {{ pending.length }}' })
  expect(await renderToString(app.use(createRealtime({ read: async () => [] })))).toBe('0 true 0')
})
