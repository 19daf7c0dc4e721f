import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import { DEFAULT_LIMITS, wholeNumber, type OptionRows, type Settings } from '@tutti/protocol'
import { Server, type ServerOptions } from 'socket.io'
import { parseOrigins } from '../../authentication/origin-list.ts'
import type { RealtimeServerOptions } from '../../options.ts'
import { parseHandshakeQuery } from './handshake-query.ts'
import { corsFor, type CorsOptions } from './cors.ts'

/** Options of the Socket.IO server that is made here. */
export interface SocketServerOptions {
  /** Bytes of one message, on WebSocket and on polling. Default 1,000,000 (X5). */
  maxPayloadBytes?: number | undefined
  /** How often the server tests whether a client is still there, milliseconds. @default 10000 */
  pingIntervalMs?: number | undefined
  /** How long a client may take to reply to that, milliseconds; then its connection is closed. @default 6000 */
  pingTimeoutMs?: number | undefined
  /** More options for Socket.IO, e.g. `path` or `allowRequest`. Which origins may read answers follows from `origins`. */
  socketIo?: (Partial<Omit<ServerOptions, 'maxHttpBufferSize' | 'cors'>> & { cors?: Omit<CorsOptions, 'origin'> }) | undefined
}

const NOTHING_MORE: NonNullable<SocketServerOptions['socketIo']> = {}

/** What the options take. */
export const SOCKET_SERVER_OPTIONS = {
  maxPayloadBytes: wholeNumber(1, DEFAULT_LIMITS.maxPayloadBytes),
  pingIntervalMs: wholeNumber(1, 10_000),
  pingTimeoutMs: wholeNumber(1, 6_000),
  socketIo: ['an object with options of Socket.IO', (value) => typeof value === 'object' && value !== null, NOTHING_MORE],
} satisfies OptionRows<SocketServerOptions>

type SocketServerSettings = Settings<SocketServerOptions, typeof SOCKET_SERVER_OPTIONS>

/** A Socket.IO server without an HTTP server of its own: requests and upgrades are passed to it. */
export interface SocketServer {
  readonly io: Server
  /** The path of its requests, `/socket.io/` by default. */
  readonly path: string
  /** Whether requests for this path belong to it. */
  matches(pathname: string): boolean
  handleRequest(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Ends its connections. */
  close(): void
}

const NO_WEBSOCKET = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** Makes a Socket.IO server. Throws `INVALID_OPTIONS`. */
export function createSocketServer({
  maxPayloadBytes,
  pingIntervalMs,
  pingTimeoutMs,
  origins,
  socketIo,
}: SocketServerSettings & Pick<RealtimeServerOptions, 'origins'>): SocketServer {
  const io = new Server({
    serveClient: false,
    perMessageDeflate: false,
    pingInterval: pingIntervalMs,
    pingTimeout: pingTimeoutMs,
    ...socketIo,
    cors: corsFor(parseOrigins(origins), socketIo.cors),
    maxHttpBufferSize: maxPayloadBytes,
  })
  // On the HTTP server of an application, Engine.IO would end the upgrades of other libraries after a second, and would never
  // remove its listeners (C7). So it is attached to an HTTP server that never listens.
  const inner = createServer()
  io.attach(inner)
  const path = socketIo.addTrailingSlash === false ? io.path() : `${io.path()}/`
  return {
    io,
    path,
    matches: (pathname) => pathname === path || (io.serveClient() && pathname.startsWith(`${io.path()}/`)),
    handleRequest: (request, response) => {
      parseHandshakeQuery(request)
      inner.emit('request', request, response)
    },
    handleUpgrade: (request, socket, head) => {
      // Without a listener, a client that resets the socket before the WebSocket exists would end the process.
      socket.on('error', () => socket.destroy())
      parseHandshakeQuery(request)
      if (!inner.emit('upgrade', request, socket, head)) socket.end(NO_WEBSOCKET)
    },
    close: () => {
      io.disconnectSockets(true)
      io.engine.close()
    },
  }
}
