import type { Server as HttpServer } from 'node:http'
import { parseOptions, type OptionRows, type Settings } from '@tutti/protocol'
import type { Server } from 'socket.io'
import type { User } from '../../authorization/authorize.ts'
import { assembleRealtimeServer, type RealtimeServer } from '../../create-realtime-server.ts'
import { SERVER_OPTIONS, type RealtimeServerOptions } from '../../options.ts'
import { createDefaultCoordination } from './default-coordination.ts'
import { addRoute } from './http-routes.ts'
import { createSocketServer, SOCKET_SERVER_OPTIONS, type SocketServer, type SocketServerOptions } from './socket-server.ts'

/** Options of `createRealtimeServer`, without a Socket.IO server, and how to make one. */
export interface AttachRealtimeOptions<U extends User = User> extends Omit<RealtimeServerOptions<U>, 'io'>, SocketServerOptions {}

/** A realtime server with the Socket.IO server that was made for it. */
export interface AttachedRealtimeServer<U extends User = User> extends RealtimeServer<U> {
  readonly io: Server
}

const OPTIONS = { ...SERVER_OPTIONS, ...SOCKET_SERVER_OPTIONS } satisfies OptionRows<AttachRealtimeOptions>

type AttachRealtimeSettings<U extends User> = Settings<AttachRealtimeOptions<U>, typeof OPTIONS>

/** Options of `attachRealtime`. Throws `INVALID_OPTIONS`. */
export const parseAttachOptions = <U extends User>(options: AttachRealtimeOptions<U>): AttachRealtimeSettings<U> =>
  parseOptions('attachRealtime', OPTIONS, options)

/**
 * Puts realtime state and events on one path of a plain Node HTTP server, which stays the caller's to close. Other paths, and
 * the upgrades of other libraries, are not touched; after `close()` nothing is left on the server (C7). Throws
 * `INVALID_OPTIONS`, also for a path that another realtime server has on this HTTP server.
 */
export function attachRealtime<U extends User = User>(
  httpServer: HttpServer,
  options: AttachRealtimeOptions<U>,
): AttachedRealtimeServer<U> {
  const settings = parseAttachOptions(options)
  const sockets = createSocketServer(settings)
  const removeRoute = addRoute(httpServer, sockets)
  try {
    return carryRealtime(sockets, settings, removeRoute)
  } catch (error) {
    removeRoute()
    throw error
  }
}

/** Puts a realtime server on a Socket.IO server that was made for it. `onClosed` runs when both are closed. */
export function carryRealtime<U extends User>(
  sockets: SocketServer,
  settings: AttachRealtimeSettings<U>,
  onClosed: () => void,
): AttachedRealtimeServer<U> {
  const { io } = sockets
  const realtime = assembleRealtimeServer(
    { ...settings, io },
    {
      ownsSocketServer: true,
      createCoordination: (presence, onError) => createDefaultCoordination(settings.pubsub, presence, onError),
    },
  )
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await realtime.close()
    sockets.close()
    onClosed()
  }
  return { ...realtime, io, close: () => (closing ??= close()) }
}
