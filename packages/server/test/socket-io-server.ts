import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { reactiveDriver } from '@tutti/storage-driver'
import { eventually } from '@tutti/test-kit'
import { Server, type ServerOptions, type Socket } from 'socket.io'
import { expect, onTestFinished } from 'vitest'
import memoryDriver from 'unstorage/drivers/memory'
import { WebSocket } from 'ws'
import type { Connection } from '../src/connection/connection.ts'
import { createRealtimeServer, type RealtimeServerOptions } from '../src/index.ts'
import type { InternalServerOptions } from '../src/options.ts'
import { connectPlain, type PlainClient } from './serve.ts'

/** A realtime server on a Socket.IO server that the application made. */
export interface SocketIoServer {
  readonly io: Server
  readonly url: string
  /** Connects a plain client, and finds both ends of its connection in the server. */
  connect(options?: Parameters<typeof connectPlain>[1], url?: string): Promise<Ends>
}

export interface Ends {
  readonly client: PlainClient
  readonly socket: Socket
  readonly connection: Connection
}

export async function serveOnSocketIo(
  socketIo: Partial<ServerOptions> = {},
  options: Partial<RealtimeServerOptions> = {},
): Promise<SocketIoServer> {
  const httpServer = createServer()
  const io = new Server(httpServer, socketIo)
  const connections = new Map<string, Connection>()
  const settings: InternalServerOptions = {
    io,
    state: reactiveDriver(memoryDriver()),
    onWarning: () => {},
    features: [() => ({ name: 'connections', handlers: [], onConnect: (connection) => connections.set(connection.id, connection) })],
    ...options,
  }
  const realtime = createRealtimeServer(settings)
  httpServer.listen(0, '127.0.0.1')
  await once(httpServer, 'listening')
  const url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`
  onTestFinished(async () => {
    await realtime.close()
    await io.close()
  })
  return {
    io,
    url,
    connect: async (clientOptions, at = url) => {
      const client = await connectPlain(at, clientOptions)
      onTestFinished(() => void client.socket.disconnect())
      const id = client.socket.id ?? ''
      const [socket, connection] = [io.sockets.sockets.get(id), connections.get(id)]
      if (socket === undefined || connection === undefined) throw new Error('not connected')
      return { client, socket, connection }
    },
  }
}

/** A client without a library, connected to the namespace `/`, and the stream below its WebSocket. */
export interface RawClient {
  readonly webSocket: WebSocket
  readonly stream: Duplex
  readonly received: string[]
}

export async function openRaw(url: string): Promise<RawClient> {
  const webSocket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  onTestFinished(() => webSocket.terminate())
  const received: string[] = []
  webSocket.on('message', (data: Buffer) => received.push(data.toString()))
  await eventually(() => expect(received[0]).toMatch(/^0/))
  webSocket.send('40')
  await eventually(() => expect(received.some((packet) => packet.startsWith('42["server:hello"'))).toBe(true))
  return { webSocket, stream: Reflect.get(webSocket, '_socket'), received }
}

/** Counts packets that go through the queue of Engine.IO, from now on. */
export function countQueued(io: Server): { packets: number } {
  const queued = { packets: 0 }
  io.engine.on('flush', (_socket: unknown, packets: unknown[]) => {
    queued.packets += packets.length
  })
  return queued
}

/** Sends a few kinds of messages and awaits what the server sends: replies, changes and events. */
export async function exchange({ client, connection }: Ends): Promise<void> {
  await eventually(() => expect(client.of('server:hello')).toHaveLength(1))
  const received = client.received.length
  await client.request('event:subscribe', { channel: 'c' })
  await client.request('event:publish', { channel: 'c', data: { text: 'ü' }, includeSelf: true })
  expect(await client.request('storage:set', { key: 'k', value: 'x' })).toMatchObject({ ok: true })
  connection.send('server:status', { degraded: false })
  await eventually(() =>
    expect(client.received.slice(received)).toEqual([
      { name: 'event:received', payload: { channel: 'c', data: { text: 'ü' } } },
      { name: 'server:status', payload: { degraded: false } },
    ]),
  )
}

/** A parser of the application's own. */
export const jsonParser = {
  Encoder: class {
    encode(packet: unknown): string[] {
      return [JSON.stringify(packet)]
    }
  },
  Decoder: class extends EventEmitter {
    add(text: string): void {
      this.emit('decoded', JSON.parse(text))
    }

    destroy(): void {}
  },
}
