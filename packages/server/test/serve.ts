import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { ErrorCode, Reply, Requests, RequestName } from '@tutti/protocol'
import { reactiveDriver } from '@tutti/storage-driver'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import memoryDriver from 'unstorage/drivers/memory'
import type { User } from '../src/index.ts'
import type { InternalServerOptions } from '../src/options.ts'
import { attachRealtime, type AttachedRealtimeServer, type AttachRealtimeOptions } from '../src/http/node/index.ts'

/** A server on a port of 127.0.0.1, with its state in memory unless it is given another. */
export interface Served {
  readonly url: string
  readonly realtime: AttachedRealtimeServer
  /** A connected, plain socket.io-client. */
  connect(options?: Partial<ManagerOptions & SocketOptions>): Promise<PlainClient>
  close(): Promise<void>
}

/** A plain socket.io-client that keeps what it is sent. */
export interface PlainClient {
  readonly socket: Socket
  readonly received: { name: string; payload: unknown }[]
  /** The payloads of one kind of message, so far. */
  of(name: string): unknown[]
  /** Sends a message and returns the reply unchanged. */
  send(name: string, ...args: unknown[]): Promise<Reply>
  /** Sends a well-formed message; throws where it is refused. */
  request<Name extends RequestName>(name: Name, payload: Requests[Name]['payload']): Promise<Requests[Name]['result']>
}

/** One project of the suite runs all of it through Socket.IO. */
const directFrames = process.env['TUTTI_DIRECT_FRAMES'] !== 'false'

/** Options of a server, with those that are internal. */
type ServeOptions<U extends User> = Partial<AttachRealtimeOptions<U> & Pick<InternalServerOptions<U>, 'features'>>

export async function serve<U extends User = User>(options: ServeOptions<U> = {}): Promise<Served> {
  const httpServer = createServer()
  const realtime = attachRealtime(httpServer, { state: reactiveDriver(memoryDriver()), onWarning: () => {}, directFrames, ...options })
  httpServer.listen(0, '127.0.0.1')
  await once(httpServer, 'listening')
  await realtime.ready
  const { port } = httpServer.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const clients: PlainClient[] = []
  return {
    url,
    realtime,
    connect: async (clientOptions) => {
      const client = await connectPlain(url, clientOptions)
      clients.push(client)
      return client
    },
    close: async () => {
      for (const { socket } of clients) socket.disconnect()
      await realtime.close()
      httpServer.close()
      httpServer.closeAllConnections()
    },
  }
}

export async function connectPlain(url: string, options: Partial<ManagerOptions & SocketOptions> = {}): Promise<PlainClient> {
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true, ...options })
  const received: PlainClient['received'] = []
  socket.onAny((name: string, payload: unknown) => received.push({ name, payload }))
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('connect_error', reject)
    // Its server has ended before it answered.
    socket.once('disconnect', (reason) => reject(new Error(`disconnected: ${reason}`)))
  })
  const send = (name: string, ...args: unknown[]): Promise<Reply> =>
    new Promise((resolve, reject) => {
      socket.once('disconnect', (reason) => reject(new Error(`disconnected: ${reason}`)))
      socket.emit(name, ...args, resolve)
    })
  return {
    socket,
    received,
    of: (name) => received.filter((message) => message.name === name).map(({ payload }) => payload),
    send,
    request: async (name, payload) => {
      const reply = await send(name, payload)
      if (!reply.ok) throw Object.assign(new Error(`${name}: ${reply.error.code}`), reply.error)
      return reply as never
    },
  }
}

/** The code of a refusal; throws for what was not refused. */
export function codeOf(reply: Reply): ErrorCode {
  if (reply.ok) throw new Error(`not refused: ${JSON.stringify(reply)}`)
  return reply.error.code
}

/** The text of a request for a WebSocket, to be written by hand. */
export const upgradeOf = (port: number): string =>
  [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n')
