// @vitest-environment happy-dom
import { presence } from '@tutti/client/presence'
import { eventually } from '@tutti/test-kit'
import { createRealtime } from '@tutti/vue'
import { useRealtimeCursors, useRealtimePresence } from '@tutti/vue/presence'
import { expect, test } from 'vitest'
import { createSSRApp, nextTick, reactive, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { mount, serve } from './serve.ts'

type Info = { name: string }

test('[P1] members of two browsers are shown in both, until their component ends', async () => {
  const { url } = await serve()
  const { result: a, element } = mount(
    url,
    () => useRealtimePresence<Info>('doc:1', { info: { name: 'Ada' } }),
    '<b v-for="{ id, info, isMe } in members" :key="id">{{ info.name }}{{ isMe ? "*" : "" }};</b>',
  )
  expect([a.loading.value, a.members.value]).toEqual([true, []])
  await eventually(() => expect(element.textContent).toBe('Ada*;'))
  const { result: b, unmount } = mount(url, () => useRealtimePresence<Info>('doc:1', { info: { name: 'Bob' } }))
  await eventually(() => expect(element.textContent).toBe('Ada*;Bob;'))
  await eventually(() => expect(b.members.value.map(({ isMe }) => isMe)).toEqual([false, true]))
  expect([b.joined.value, b.count.value, b.users.value.length]).toEqual([true, 2, 2])
  unmount()
  await eventually(() => expect(element.textContent).toBe('Ada*;'))
})

test('[P1] changes of info and of the room are followed; undefined leaves', async () => {
  const { url, realtime } = await serve()
  const room = ref('doc:1')
  const info = ref<Info | undefined>(reactive({ name: 'Ada' }))
  const { result } = mount(url, () => useRealtimePresence<Info>(room, { info }))
  const membersOf = async (name: string): Promise<unknown[]> => (await realtime.presence.members(name)).map((member) => member.info)
  await eventually(async () => expect(await membersOf('doc:1')).toEqual([{ name: 'Ada' }]))
  if (info.value) info.value.name = 'Ada L.'
  await eventually(async () => expect(await membersOf('doc:1')).toEqual([{ name: 'Ada L.' }]))
  room.value = 'doc:2'
  await eventually(async () => expect([await membersOf('doc:1'), await membersOf('doc:2')]).toEqual([[], [{ name: 'Ada L.' }]]))
  await eventually(() => expect(result.members.value).toMatchObject([{ isMe: true }]))
  info.value = undefined
  await eventually(async () => expect(await membersOf('doc:2')).toEqual([]))
  await eventually(() => expect([result.joined.value, result.count.value]).toEqual([false, 0]))
  result.join({ name: 'again' })
  await eventually(() => expect(result.joined.value).toBe(true))
  result.update({ name: 'new' })
  await eventually(async () => expect(await membersOf('doc:2')).toEqual([{ name: 'new' }]))
  result.leave()
  await eventually(async () => expect(await membersOf('doc:2')).toEqual([]))
})

test('[P5] cursors of the others are shown with their member, idle after idleMs', async () => {
  const { url, connect } = await serve()
  const { result } = mount(url, () => {
    useRealtimePresence<Info>('doc:1', { info: { name: 'Ada' } })
    return useRealtimeCursors<{ x: number }, Info>('doc:1', { idleMs: 300 })
  })
  const other = presence<Info, { x: number }>(connect(), 'doc:1', { info: { name: 'Bob' } })
  await eventually(() => expect(other.current.members).toHaveLength(2))
  other.cursors.set({ x: 1 })
  result.set({ x: 2 })
  await eventually(() => expect(result.cursors.value).toMatchObject([{ data: { x: 1 }, member: { info: { name: 'Bob' } } }]))
  await eventually(() => expect(other.cursors.current).toMatchObject([{ data: { x: 2 }, member: { info: { name: 'Ada' } } }]))
  await eventually(() => expect(result.cursors.value).toMatchObject([{ idle: true }]))
  other.cursors.set({ x: 3 })
  await eventually(() => expect(result.cursors.value).toMatchObject([{ data: { x: 3 }, idle: false }]))
  other.dispose()
  await eventually(() => expect(result.cursors.value).toEqual([]))
})

test('[P1] on a server the room is empty and loading, and nothing is connected', async () => {
  const setup = () => {
    const { members, loading, joined } = useRealtimePresence('doc:1', { info: 1 })
    const { cursors } = useRealtimeCursors('doc:1')
    return { members, loading, joined, cursors }
  }
  const app = createSSRApp({ setup, template: '{{ members.length }} {{ loading }} {{ joined }} {{ cursors.length }}' })
  const html = await renderToString(app.use(createRealtime({ read: async () => [] })))
  expect(html).toBe('0 true false 0')
})

test('[P6] with count only the number is shown', async () => {
  const { url, connect } = await serve()
  presence(connect(), 'stream', { info: 1 })
  const { result } = mount(url, () => useRealtimePresence('stream', { count: true }))
  await eventually(() => expect([result.count.value, result.members.value]).toEqual([1, []]))
  await nextTick()
})

test('[X9] misuse throws at once', async () => {
  const { url } = await serve()
  const code = (expected: string) => expect.objectContaining({ code: expected })
  mount(url, () => {
    expect(() => useRealtimePresence('a*')).toThrow(code('INVALID_ROOM'))
    expect(() => useRealtimePresence('a', { count: 1 as unknown as boolean })).toThrow(code('INVALID_OPTIONS'))
    expect(() => useRealtimeCursors('a', { idleMs: 0 })).toThrow(code('INVALID_OPTIONS'))
    return {}
  })
})
