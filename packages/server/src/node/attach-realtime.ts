import type { Server as HttpServer } from 'node:http'
import { DEFAULT_LIMITS } from '@tutti/protocol'
import { Server, type ServerOptions } from 'socket.io'
import type { User } from '../access/question.ts'
import { createRealtimeServer, type RealtimeServer } from '../create-realtime-server.ts'
import type { RealtimeServerOptions } from '../options.ts'
import { withOrigins } from './origins.ts'

/** Options of `createRealtimeServer`, without a Socket.IO server, and how to make one. */
export interface AttachRealtimeOptions<U extends User = User> extends Omit<RealtimeServerOptions<U>, 'io'> {
  /** Bytes of one message, on WebSocket and on polling. Default 1,000,000 (X5). */
  maxPayloadBytes?: number
  /**
   * Origins whose pages may connect beside the server's own, e.g. `['https://app.example']`; `'*'`: all. Default: none.
   * Cookies work for pages of the server's own origin only, whatever stands here.
   */
  origins?: readonly string[] | '*'
  /** More options for Socket.IO, e.g. `cors` or `path`. */
  socketIo?: Partial<Omit<ServerOptions, 'maxHttpBufferSize'>>
}

/** A realtime server with the Socket.IO server that was made for it. */
export interface AttachedRealtimeServer extends RealtimeServer {
  readonly io: Server
}

/** Puts realtime state and events on a plain Node HTTP server, which stays the caller's to close. Throws `INVALID_OPTIONS`. */
export function attachRealtime<U extends User = User>(httpServer: HttpServer, options: AttachRealtimeOptions<U>): AttachedRealtimeServer {
  const { maxPayloadBytes = DEFAULT_LIMITS.maxPayloadBytes, origins = [], socketIo = {}, ...rest } = options
  const io = new Server({
    serveClient: false,
    perMessageDeflate: false,
    ...withOrigins(origins, socketIo),
    maxHttpBufferSize: maxPayloadBytes,
  })
  // Nobody listens to the socket until a WebSocket is made of it: a client that resets before that would end the process.
  httpServer.prependListener('upgrade', (_request, socket) => socket.on('error', () => socket.destroy()))
  io.attach(httpServer)
  const realtime = createRealtimeServer({ ...rest, io })
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await realtime.close()
    // Only what was made here: `io.close()` would close the caller's HTTP server as well.
    io.disconnectSockets(true)
    io.engine.close()
  }
  return { ...realtime, io, close: () => (closing ??= close()) }
}
