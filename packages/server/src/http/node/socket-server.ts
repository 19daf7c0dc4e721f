import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import { wholeNumber, type OptionRows, type Settings } from '@tutti/protocol/internal'
import { Server, type ServerOptions } from 'socket.io'
import { parseOrigins } from '../../authentication/origin-list.ts'
import { hasWebSocket } from '../../connection/socket-internals.ts'
import type { RealtimeServerOptions } from '../../options.ts'
import { parseHandshakeQuery } from './handshake-query.ts'
import { createCors, type CorsOptions } from './cors.ts'
import { createSessionId } from './session-id.ts'

/** Options of Socket.IO that an application may set. */
export type SocketIoOptions = Partial<Omit<ServerOptions, 'maxHttpBufferSize' | 'cors'>> & { cors?: Omit<CorsOptions, 'origin'> }

/** Options of the Socket.IO server that `attachRealtime` creates. */
export interface SocketServerOptions {
  /**
   * The period in which the server tests whether a client is still connected, milliseconds.
   *
   * @default 10_000
   */
  pingIntervalMs?: number | undefined
  /**
   * How long a client may take to reply to such a test, milliseconds. Then its connection is closed.
   *
   * @default 5_500
   */
  pingTimeoutMs?: number | undefined
  /**
   * Additional options of Socket.IO, e.g. `path` or `allowRequest`. `cors` has no `origin`: allowed origins are in `origins`. Unset by
   * default.
   */
  socketIo?: SocketIoOptions | undefined
}

const NO_OPTIONS: SocketIoOptions = {}

/** The options of the Socket.IO server. */
export const SOCKET_SERVER_OPTIONS = {
  pingIntervalMs: wholeNumber(1, 10_000),
  pingTimeoutMs: wholeNumber(1, 5_500),
  socketIo: ['an object with options of Socket.IO', (value) => typeof value === 'object' && value !== null, NO_OPTIONS],
} satisfies OptionRows<SocketServerOptions>

/** The options whose values are known to be valid. */
export type SocketServerSettings = Settings<SocketServerOptions, typeof SOCKET_SERVER_OPTIONS>

/** The settings that a Socket.IO server needs. */
interface CreateSocketServerOptions extends SocketServerSettings, Pick<RealtimeServerOptions, 'origins'> {
  readonly limits: { readonly maxPayloadBytes: number }
}

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

function destroy(this: Duplex): void {
  this.destroy()
}

/** Makes a Socket.IO server. Throws `INVALID_OPTIONS`. */
export function createSocketServer({ limits, origins, pingIntervalMs, pingTimeoutMs, socketIo }: CreateSocketServerOptions): SocketServer {
  const { cors, ...options } = socketIo
  // Not a middleware of Engine.IO: no browser reads such headers of a WebSocket, and each connection would wait for it.
  const allowOrigins = createCors(parseOrigins(origins), cors)
  const io = new Server({
    serveClient: false,
    perMessageDeflate: false,
    pingInterval: pingIntervalMs,
    pingTimeout: pingTimeoutMs,
    ...options,
    maxHttpBufferSize: limits.maxPayloadBytes,
  })
  // On the HTTP server of an application, Engine.IO would end the upgrades of other libraries after a second, and would never
  // remove its listeners (C7). So it is attached to an HTTP server that never listens.
  const inner = createServer()
  io.attach(inner)
  io.engine.generateId = createSessionId
  // From here on the WebSocket has its own listener. Two would be a list in the memory of each connection.
  io.engine.on('connection', ({ request: { socket } }: { request: IncomingMessage }) => {
    if (socket.listenerCount('error') > 1) socket.off('error', destroy)
  })
  const path = socketIo.addTrailingSlash === false ? io.path() : `${io.path()}/`
  return {
    io,
    path,
    matches: (pathname) => pathname === path || (io.serveClient() && pathname.startsWith(`${io.path()}/`)),
    handleRequest: (request, response) => {
      parseHandshakeQuery(request)
      allowOrigins(request, response, () => inner.emit('request', request, response))
    },
    handleUpgrade: (request, socket, head) => {
      parseHandshakeQuery(request)
      if (!inner.emit('upgrade', request, socket, head)) socket.end(NO_WEBSOCKET)
      // The request waits for a middleware or `allowRequest`. Without a listener, a client that resets the socket would end the process.
      if (!hasWebSocket(request)) socket.on('error', destroy)
    },
    close: () => {
      // With a cluster adapter, the sockets of all instances would be disconnected.
      io.local.disconnectSockets(true)
      io.engine.close()
    },
  }
}
