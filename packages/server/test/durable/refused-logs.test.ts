import { createMemoryLogs, type Logs } from '@tutti/coordination/logs'
import { RealtimeError } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../serve.ts'

test('[E6] after a refused subscription of the logs each event is delivered once', async () => {
  const logs = createMemoryLogs({ pattern: 'chat:*' })
  let isRefused = true
  const refusing: Logs = {
    ...logs,
    onAppend: (listener) => {
      const stop = logs.onAppend(listener)
      return Object.assign(() => stop(), { ready: isRefused ? Promise.reject(new RealtimeError('UNAVAILABLE')) : Promise.resolve() })
    },
  }
  const server = await serve({ durable: { 'chat:*': refusing }, onError: () => {} })
  onTestFinished(async () => {
    await server.close()
    await logs.close()
  })
  const client = await server.connect()
  expect(await client.send('event:subscribe', { channel: 'chat:*' })).toMatchObject({ ok: false })
  isRefused = false
  await client.request('event:subscribe', { channel: 'chat:*' })
  await logs.append('chat:a', { json: '1' })
  await logs.append('chat:a', { json: '"end"' })
  const data = () => client.of('event:received').map((event) => (event as { data: unknown }).data)
  await eventually(() => expect(data().at(-1)).toBe('end'))
  expect(data()).toEqual([1, 'end'])
})

test('[E3] a pattern whose subscription was refused is not subscribed', async () => {
  const logs = createMemoryLogs({ pattern: 'chat:*' })
  const refusing: Logs = {
    ...logs,
    onAppend: () => Object.assign(() => {}, { ready: Promise.reject(new RealtimeError('UNAVAILABLE')) }),
  }
  const server = await serve({ durable: { 'chat:*': refusing }, onError: () => {} })
  onTestFinished(async () => {
    await server.close()
    await logs.close()
  })
  const client = await server.connect()
  expect(await client.send('event:subscribe', { channel: '*' })).toMatchObject({ ok: false })
  await server.realtime.events.publish('news', 1)
  await client.send('room:leave', { room: 'doc:1' })
  expect(client.of('event:received')).toEqual([])
})
