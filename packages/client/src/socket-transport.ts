import { fromWireError, isJsonObject, type RealtimeError } from '@tutti/protocol'
import { io, type Socket } from 'socket.io-client'
import { away } from './away.ts'
import type { Notice, Transport } from './transport.ts'

/** How Socket.IO reaches the server. */
export interface SocketTransportOptions {
  /** Origin of the server, e.g. `https://example.org`; the page's own in a browser. */
  url?: string | undefined
  /** Path of Socket.IO on the server, default `/socket.io/`. */
  path?: string | undefined
  /** Default `['websocket']`, so no sticky sessions are needed (C3); add `'polling'` where WebSocket is blocked. */
  transports?: readonly ('websocket' | 'polling')[] | undefined
}

/** The transport over Socket.IO. Its own reconnection is off: when to come back is decided by the connection (C1). */
export function socketTransport({ url, path, transports = ['websocket'] }: SocketTransportOptions): Transport {
  return (handshake, listener) => {
    const options = {
      auth: handshake,
      transports: [...transports],
      forceNew: true,
      reconnection: false,
      ...(path === undefined ? {} : { path }),
    }
    const socket: Socket<object, Messages> = url === undefined ? io(options) : io(url, options)
    const close = (): void => {
      socket.off()
      socket.offAny()
      socket.disconnect()
    }
    const closed = (reason: RealtimeError): void => {
      close()
      listener.onClose(reason)
    }
    socket.on('connect_error', (error) => {
      const data: unknown = 'data' in error ? error.data : undefined
      closed(isRefusal(data) ? fromWireError(data) : away(messageOf(error), error))
    })
    socket.on('disconnect', (reason) => closed(away(reason)))
    socket.onAny((name: string, payload: unknown) => {
      const notice = { name, payload }
      if (isNotice(notice)) listener.onNotice(notice)
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
 * of some other property of a `ConnectionPart`.
 */
const isNotice = (notice: { name: string; payload: unknown }): notice is Notice => notice.name.includes(':') && isJsonObject(notice.payload)

/** The message of a failed try. `code` 1 of Engine.IO: the session of a polling client is on another instance. */
const messageOf = ({ message, context }: Error & { context?: { responseText?: string } }): string =>
  context?.responseText?.includes('"code":1,') ? 'Polling needs sticky sessions.' : message

/** Errors of the network and of other middleware carry no code of ours. */
const isRefusal = (data: unknown): boolean => isJsonObject(data) && 'code' in data
