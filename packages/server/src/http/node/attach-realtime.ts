import type { Server as HttpServer } from 'node:http'
import { parseOptions, type OptionRows } from '@tutti/protocol/internal'
import type { Server } from 'socket.io'
import type { User } from '../../authorization/authorize.ts'
import { assembleRealtimeServer, type RealtimeServer } from '../../create-realtime-server.ts'
import { parseAttachLimits, parseBackpressure, parseShutdown, RENAMED, type AttachLimitOptions } from '../../option-groups.ts'
import { SERVER_OPTIONS, type InternalServerOptions, type RealtimeServerOptions, type RealtimeServerSettings } from '../../options.ts'
import { createDefaultCoordination } from './default-coordination.ts'
import { createDefaultLogs } from './default-logs.ts'
import { addRoute } from './http-routes.ts'
import {
  createSocketServer,
  SOCKET_SERVER_OPTIONS,
  type SocketServer,
  type SocketServerOptions,
  type SocketServerSettings,
} from './socket-server.ts'

/** Options of `attachRealtime`: those of `createRealtimeServer`, and of the Socket.IO server that it creates. */
export interface AttachRealtimeOptions<U extends User = User> extends Omit<RealtimeServerOptions<U>, 'io' | 'limits'>, SocketServerOptions {
  /** Limits of users, connections and addresses. Without it, each has its default. */
  limits?: AttachLimitOptions | undefined
}

/** A realtime server with its own Socket.IO server. */
export interface AttachedRealtimeServer<U extends User = User> extends RealtimeServer<U> {
  readonly io: Server
}

/** With those that are not public yet. */
type AllOptions<U extends User> = AttachRealtimeOptions<U> & Pick<InternalServerOptions<U>, 'features'>

const OPTIONS = { ...SERVER_OPTIONS, ...SOCKET_SERVER_OPTIONS } satisfies OptionRows<AllOptions<User>>

/** Options whose values are known to be valid, with their defaults. */
export interface AttachRealtimeSettings<U extends User> extends Omit<RealtimeServerSettings<U>, 'io' | 'limits'>, SocketServerSettings {
  readonly limits: ReturnType<typeof parseAttachLimits>
}

/** Options of `attachRealtime`. Throws `INVALID_OPTIONS`. */
export function parseAttachOptions<U extends User>(options: AllOptions<U>): AttachRealtimeSettings<U> {
  const owner = 'attachRealtime'
  const settings = parseOptions<AllOptions<U>, typeof OPTIONS>(owner, OPTIONS, options, {
    ...RENAMED,
    maxPayloadBytes: 'limits.maxPayloadBytes',
  })
  return {
    ...settings,
    limits: parseAttachLimits(owner, settings.limits),
    backpressure: parseBackpressure(owner, settings.backpressure),
    shutdown: parseShutdown(owner, settings.shutdown),
  }
}

/**
 * Puts realtime state and events on one path of a plain Node HTTP server, which stays the caller's to close. Other paths, and
 * the upgrades of other libraries, are not touched; after `close()` nothing is left on the server.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`, also for a path that another realtime server has on this HTTP server.
 *
 * @example
 * const realtime = attachRealtime(createServer().listen(3000), { state: reactiveDriver(memoryDriver()) })
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
      createCoordination: (presence, base, onError) => createDefaultCoordination(settings.pubsub, presence, base, onError),
      createLogs: createDefaultLogs(settings.pubsub),
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
