import { anything, fromWireError, isJsonObject, parseOptions, RealtimeError, type OptionRows } from '@tutti/protocol'
import { io, type Socket } from 'socket.io-client'
import { unavailableError } from './unavailable-error.ts'
import { serverUrl } from './server-url.ts'
import type { ServerMessage, Transport } from './transport.ts'

/** How Socket.IO reaches the server. */
export interface SocketTransportOptions {
  /** Origin of the server, without a path, e.g. `https://example.org` or `ws://localhost:3000`. Default: the page's own; required outside of pages. */
  url?: string | URL | undefined
  /** Path of Socket.IO on the server, beginning with `/`. Default `/socket.io/`. */
  path?: string | undefined
  /** Default `['websocket']`, so no sticky sessions are needed (C3); add `'polling'` where WebSocket is blocked. */
  transports?: readonly ('websocket' | 'polling')[] | undefined
}

const WEBSOCKET: readonly ('websocket' | 'polling')[] = ['websocket']

const isTransport = (name: unknown): boolean => name === 'websocket' || name === 'polling'

/** What the options take. */
export const SOCKET_OPTIONS = {
  url: anything, // Checked by `serverUrl`.
  path: ['a path that begins with "/"', (path) => typeof path === 'string' && /^\/[^?#]*$/.test(path), '/socket.io/'],
  transports: [
    'a list of websocket and polling',
    (names) => Array.isArray(names) && names.length > 0 && names.every(isTransport),
    WEBSOCKET,
  ],
} satisfies OptionRows<SocketTransportOptions>

/**
 * The transport over Socket.IO. Its own reconnection is off: when to come back is decided by the connection (C1). Throws
 * `INVALID_OPTIONS` where `url` or `path` cannot work.
 */
export function socketTransport(settings: SocketTransportOptions): Transport {
  const { url, path, transports } = parseOptions('socketTransport', SOCKET_OPTIONS, settings)
  const address = serverUrl(url)
  return (handshake, listener) => {
    const options = {
      auth: handshake,
      transports: [...transports],
      forceNew: true,
      reconnection: false,
      path,
    }
    const socket: Socket<object, Messages> = io(address, options)
    const close = (): void => {
      socket.off()
      socket.offAny()
      socket.disconnect()
    }
    const closed = (reason: RealtimeError): void => {
      close()
      listener.onClose(reason)
    }
    socket.on('connect_error', (error) => closed(failureOf(error)))
    socket.on('disconnect', (reason) => closed(unavailableError(reason)))
    socket.onAny((name: string, payload: unknown) => {
      const notice = { name, payload }
      if (isServerMessage(notice)) listener.onMessage(notice)
    })
    return {
      request: (name, payload, answer) => void socket.emit(name, payload, answer),
      close,
    }
  }
}

/** Any message: that names and payloads fit is seen to by the type of `Link`, which Socket.IO's generics can't follow. */
type Messages = Record<string, (payload: unknown, answer: (reply: never) => void) => void>

/**
 * That name and payload fit each other is the server's word. Without the `:` a message of the application could have the name
 * of some other property of a `ConnectionModule`.
 */
const isServerMessage = (notice: { name: string; payload: unknown }): notice is ServerMessage =>
  notice.name.includes(':') && isJsonObject(notice.payload)

/** What Socket.IO reports of a failed try: `data` comes from a server that refused it, `context` from Engine.IO. */
interface ConnectError extends Error {
  data?: unknown
  context?: { responseText?: string }
}

/** Why a try failed. Errors of the network and of other middleware carry no code of ours. */
function failureOf(error: ConnectError): RealtimeError {
  const { message, data, context } = error
  if (isJsonObject(data) && 'code' in data) return fromWireError(data)
  // A server that does not know the namespace never will.
  if (message === 'Invalid namespace') return new RealtimeError('UNSUPPORTED', { message })
  // `code` 1: the session of a polling client is on another instance.
  return unavailableError(context?.responseText?.includes('"code":1,') ? 'Polling requires sticky sessions.' : message, error)
}
