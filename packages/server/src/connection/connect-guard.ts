import { RealtimeError } from '@tutti/protocol'
import type { Namespace, Server, Socket } from 'socket.io'
import type { Core } from '../feature.ts'
import type { Counts } from '../realtime-counts.ts'
import type { Admission } from './admit-connection.ts'
import { toConnectError } from './handshake.ts'

/** Refuses connections on the way in: the middleware of the default namespace, and of the namespaces of the application. */
export interface ConnectGuard {
  /** All sockets are refused. */
  readonly isClosed: boolean
  /** The error for a socket that may not connect, or `undefined`. */
  refusalOf(socket: Socket): Promise<Error | undefined>
  /** From now on all sockets are refused. */
  close(): void
  /** Refuses pages of foreign origins on the namespaces that the application adds. Returns a function that ends that. */
  guardNamespaces(io: Server): () => void
}

/** What the guard needs. */
export interface ConnectGuardOptions {
  readonly core: Pick<Core, 'audit' | 'onError'>
  readonly admission: Admission
  readonly counts: Counts
}

/** Makes the guard of one server. */
export function createConnectGuard({ core, admission, counts }: ConnectGuardOptions): ConnectGuard {
  let isClosed = false

  const toRefusal = (socket: Socket, error: unknown): Error => {
    const target = admission.foreignOriginOf(socket)
    const actor = { user: '', address: admission.addressOf(socket) }
    core.audit.refused(actor, { action: 'connect', ...(target && { target }) }, error)
    const refusal = toConnectError(error)
    counts.addRefusal(refusal.data.code)
    return refusal
  }

  const guard = (namespace: Namespace): void => {
    namespace.use((socket, next) => {
      try {
        admission.checkOrigin(socket)
        next()
      } catch (error) {
        next(toRefusal(socket, error))
      }
    })
  }

  return {
    get isClosed() {
      return isClosed
    },
    refusalOf: async (socket) => {
      try {
        if (isClosed) throw new RealtimeError('UNAVAILABLE', { message: 'This instance is shutting down.' })
        await admission.check(socket)
        return undefined
      } catch (error) {
        if (!(error instanceof RealtimeError)) core.onError(error, { stage: 'authenticate' })
        return toRefusal(socket, error)
      }
    },
    close: () => {
      isClosed = true
    },
    guardNamespaces: (io) => {
      io.on('new_namespace', guard)
      return () => void io.off('new_namespace', guard)
    },
  }
}
