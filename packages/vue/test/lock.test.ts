// @vitest-environment happy-dom
import { lock } from '@tutti/client/lock'
import { eventually } from '@tutti/test-kit'
import { createRealtime, useRealtimeState } from '@tutti/vue'
import { useRealtimeLock, useRealtimeLocks } from '@tutti/vue/lock'
import { expect, test } from 'vitest'
import { createSSRApp, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { mount, serve } from './serve.ts'

type Info = { name: string }

test('[L3] the holder of a field is shown in another browser, until its component ends', async () => {
  const { url } = await serve()
  const { result: a, unmount } = mount(url, () => useRealtimeLock<Info>('form:1:name', { info: { name: 'Ada' } }))
  const { result: b, element } = mount(
    url,
    () => ({ ...useRealtimeLock<Info>('form:1:name'), ...useRealtimeLocks<Info>('form:1:') }),
    '<b v-if="isTaken">{{ holder.info?.name }}</b>',
  )
  await eventually(() => expect([a.loading.value, b.loading.value]).toEqual([false, false]))
  expect(await a.acquire()).toBe(true)
  expect([a.isMine.value, a.isTaken.value, a.binding?.key]).toEqual([true, false, 'form:1:name'])
  await eventually(() => expect(element.textContent).toBe('Ada'))
  expect([...b.holders.value]).toEqual([['form:1:name', { user: '', info: { name: 'Ada' } }]])
  expect(await b.acquire()).toBe(false)
  const waiting = b.acquire({ waitMs: 60_000 })
  unmount()
  expect(await waiting).toBe(true)
  await eventually(() => expect(element.textContent).toBe(''))
  await b.release()
  await eventually(() => expect(b.holder.value).toBeUndefined())
})

test('[L2] the state of a field can be bound to its lock; onLost reports its end', async () => {
  const { url, connect, realtime } = await serve()
  let lost = 0
  const { result } = mount(url, () => {
    const own = useRealtimeLock('form:1', { onLost: () => (lost += 1) })
    return { own, text: useRealtimeState('form:1', '', { lock: own }) }
  })
  await eventually(async () => expect(await result.own.acquire()).toBe(true))
  await result.text.set('mine')
  const other = lock(connect(), 'form:1')
  await eventually(() => other.forceRelease())
  await eventually(() => expect(lost).toBe(1))
  await expect(result.text.set('lost')).rejects.toMatchObject({ code: 'LOCK_LOST' })
  expect(await realtime.state.get('form:1')).toMatchObject({ value: 'mine' })
})

test('[L3] a changed key releases the lock of the one before', async () => {
  const { url, connect } = await serve()
  const [key, prefix] = [ref('form:1'), ref('form:')]
  const { result } = mount(url, () => ({ own: useRealtimeLock(key), all: useRealtimeLocks(prefix) }))
  await eventually(async () => expect(await result.own.acquire()).toBe(true))
  await eventually(() => expect(result.all.holders.value.size).toBe(1))
  key.value = 'form:2'
  expect(result.own.isMine.value).toBe(false)
  const other = lock(connect(), 'form:1')
  await eventually(async () => expect(await other.acquire()).toBe(true))
  prefix.value = 'other:'
  await eventually(() => expect(result.all.holders.value.size).toBe(0))
})

test('[L3] a page rendered on a server has no holder and acquires nothing', async () => {
  const setup = () => ({ ...useRealtimeLock('form:1'), ...useRealtimeLocks('form:') })
  const app = createSSRApp({ setup, template: '{{ loading }} {{ isMine }} {{ holders.size }}' })
  expect(await renderToString(app.use(createRealtime({ read: async () => [] })))).toBe('true false 0')
})
