import { fromWireError, RealtimeError } from '@tutti/protocol'
import { anything, isJsonObject, parseOptions, type OptionRows } from '@tutti/protocol/internal'
import { io, type Socket } from 'socket.io-client'
import { unavailableError } from './unavailable-error.ts'
import { serverUrl } from './server-url.ts'
import type { ServerMessage, Transport } from './transport.ts'

/** The connection options of Socket.IO. */
export interface SocketTransportOptions {
  /**
   * Origin of the server, without a path, e.g. `https://example.org` or `ws://localhost:3000`. Required outside of pages.
   *
   * @default the origin of the page
   */
  url?: string | URL | undefined
  /**
   * Path of Socket.IO on the server, beginning with `/`.
   *
   * @default '/socket.io/'
   */
  path?: string | undefined
  /**
   * Add `'polling'` for networks that block WebSocket; a load balancer then needs sticky sessions.
   *
   * @default ['websocket']
   */
  transports?: readonly ('websocket' | 'polling')[] | undefined
}

const WEBSOCKET: readonly ('websocket' | 'polling')[] = ['websocket']

const isTransport = (name: unknown): boolean => name === 'websocket' || name === 'polling'

/** The accepted values of the options. */
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
 * The transport over Socket.IO. Its own reconnection is disabled, because the connection schedules the attempts.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS` if `url` or `path` cannot work.
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
    socket.on('disconnect', (reason) => closed(unavailableError(`Connection lost: ${reason}.`)))
    socket.onAny((name: string, payload: unknown) => {
      const notice = { name, payload }
      if (isServerMessage(notice)) listener.onMessage(notice)
    })
    return {
      request: (name, payload, ...answer) => void socket.emit(name, payload, ...answer),
      close,
    }
  }
}

/** Any message. The type of `Link` ensures that names and payloads match, which Socket.IO's generics cannot express. */
type Messages = Record<string, (payload: unknown, answer?: (reply: never) => void) => void>

/**
 * Trusts the server that name and payload match. Without the check for `:`, a message of the application could have the name of
 * another property of a `ConnectionModule`.
 */
const isServerMessage = (notice: { name: string; payload: unknown }): notice is ServerMessage =>
  notice.name.includes(':') && isJsonObject(notice.payload)

/**
 * The error of a failed attempt as Socket.IO reports it: `data` comes from a server that refused it, `context` from Engine.IO.
 */
interface ConnectError extends Error {
  data?: unknown
  context?: { responseText?: string }
}

/** The reason of a failed attempt. Errors of the network and of other middleware have no error code of Tutti. */
function failureOf(error: ConnectError): RealtimeError {
  const { message, data, context } = error
  if (isJsonObject(data) && 'code' in data) return fromWireError(data)
  // A server that does not know the namespace never will.
  if (message === 'Invalid namespace') return new RealtimeError('UNSUPPORTED', { message: 'No Tutti server at this `url` and `path`.' })
  // `code` 1: the session of a polling client is on another instance.
  return unavailableError(
    context?.responseText?.includes('"code":1,') ? 'Polling requires sticky sessions.' : `Cannot connect: ${message}.`,
    error,
  )
}
