import { eventually, startTcpProxy } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { connectPlain, serve } from '../serve.ts'
import { observeRoom } from './room-observer.ts'

test('[P7] a client that vanishes without closing is reported gone, no other', async () => {
  const served = await serve({ pingIntervalMs: 200, pingTimeoutMs: 1_000, presence: { graceMs: 50 } })
  onTestFinished(() => served.close())
  const { hostname, port } = new URL(served.url)
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  onTestFinished(() => proxy.close())
  const observer = await observeRoom(await served.connect(), 'doc:1')
  const stays = await (await served.connect({ auth: { clientId: 'stays' } })).request('presence:join', { room: 'doc:1' })
  const vanishing = await connectPlain(`http://127.0.0.1:${proxy.port}`, { auth: { clientId: 'vanishes' } })
  onTestFinished(() => void vanishing.socket.disconnect())
  const { id } = await vanishing.request('presence:join', { room: 'doc:1' })
  await eventually(() => expect(observer.members().size).toBe(2))
  proxy.drop()
  await eventually(() => expect(observer.left()).toEqual([id]))
  expect([...observer.members().keys()]).toEqual([stays.id])
})

test('[P7] attachRealtime sets 10,000 and 5,500 ms; Socket.IO options win', async () => {
  const served = await serve()
  onTestFinished(() => served.close())
  expect(served.realtime.io.engine.opts).toMatchObject({ pingInterval: 10_000, pingTimeout: 5_500 })
  const other = await serve({ pingTimeoutMs: 500, socketIo: { pingInterval: 700 } })
  onTestFinished(() => other.close())
  expect(other.realtime.io.engine.opts).toMatchObject({ pingInterval: 700, pingTimeout: 500 })
})
