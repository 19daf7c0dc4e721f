import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { reactiveDriver } from '@tutti/storage-driver'
import { expect, onTestFinished, test } from 'vitest'
import memoryDriver from 'unstorage/drivers/memory'
import { useRealtime } from '../src/http/hosted/current-realtime.ts'
import { hostRealtime, type HostedRealtime } from '../src/http/hosted/host-realtime.ts'
import type { AttachRealtimeOptions } from '../src/http/node/index.ts'
import { upgradeOf } from './serve.ts'

/** A host as Nitro is one: an HTTP server that hands requests and upgrades over. */
async function host(options: Partial<AttachRealtimeOptions> = {}): Promise<HostedRealtime & { port: number; server: Server }> {
  const hosted = hostRealtime({ state: reactiveDriver(memoryDriver()), onWarning: () => {}, ...options })
  const server = createServer((request, response) => void hosted.handleRequest(request, response)).on('upgrade', hosted.handleUpgrade)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(async () => {
    await hosted.realtime.close()
    server.close()
    server.closeAllConnections()
  })
  return { ...hosted, server, port: (server.address() as AddressInfo).port }
}

test('[C5] useRealtime returns the newest instance, and the one before is closed', async () => {
  expect(useRealtime).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  const first = await host()
  expect(useRealtime()).toBe(first.realtime)
  const second = await host()
  expect(useRealtime()).toBe(second.realtime)
  await first.realtime.close()
  await expect(first.realtime.state.get('count')).rejects.toMatchObject({ code: 'CLOSED' })
  expect(await second.realtime.state.get('count')).toMatchObject({ version: 0 })
})

test('[C5] after closing, a poll and an upgrade get 503 and a closed connection', async () => {
  const { realtime, port } = await host()
  await realtime.close()
  const poll = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`)
  expect([poll.status, poll.headers.get('connection')]).toEqual([503, 'close'])
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  socket.write(upgradeOf(port))
  const [answer] = await once(socket, 'data')
  expect(answer).toMatch(/^HTTP\/1\.1 503 /)
  await once(socket, 'close')
})

test('[C5] a poll that waits during close is answered, and its connection closed', async () => {
  const { realtime, port, server } = await host()
  const url = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`
  const opened = await fetch(url)
  expect(opened.headers.get('connection')).toBe('keep-alive')
  const { sid } = JSON.parse((await opened.text()).slice(1))
  const arrived = once(server, 'request')
  const polled = fetch(`${url}&sid=${sid}`)
  await arrived
  await realtime.close()
  expect((await polled).headers.get('connection')).toBe('close')
})

test('[C5] what is to be done once it is closed is done once', async () => {
  const steps: string[] = []
  const hosted = hostRealtime({ state: reactiveDriver(memoryDriver()), onWarning: () => {} }, () => steps.push('closed'))
  await Promise.all([hosted.realtime.close(), hosted.realtime.close()])
  await hosted.realtime.close()
  expect(steps).toEqual(['closed'])
})

test('[docs] a hosted server reports its path, by default with a trailing slash', async () => {
  expect((await host()).path).toBe('/socket.io/')
  expect((await host({ socketIo: { path: '/live/' } })).path).toBe('/live/')
  expect((await host({ socketIo: { path: '/live', addTrailingSlash: false } })).path).toBe('/live')
})

test('[X4] a client that resets its upgrade before it is decided upon does no harm', async () => {
  const asked = Promise.withResolvers<void>()
  const decided = Promise.withResolvers<void>()
  const { port } = await host({
    socketIo: {
      allowRequest: (request, decide) => {
        request.socket.once('close', () => {
          decide(null, true)
          decided.resolve()
        })
        asked.resolve()
      },
    },
  })
  const socket = connect(port, '127.0.0.1')
  socket.write(upgradeOf(port))
  await asked.promise
  socket.resetAndDestroy()
  await decided.promise
  expect((await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)).status).toBe(400)
})
