import { fromWireError, RealtimeError, type ServerToClientEvents } from '@tutti/protocol'
import { io, type Socket } from 'socket.io-client'
import type { Transport } from './transport.ts'

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
    const socket: Socket<ServerToClientEvents, Messages> = url === undefined ? io(options) : io(url, options)
    const closed = (reason: RealtimeError): void => {
      socket.off()
      socket.disconnect()
      listener.onClose(reason)
    }
    socket.on('connect_error', (error) => {
      const data: unknown = 'data' in error ? error.data : undefined
      closed(isRefusal(data) ? fromWireError(data) : away(error.message, error))
    })
    socket.on('disconnect', (reason) => closed(away(reason)))
    socket.on('server:hello', (payload) => listener.onNotice({ name: 'server:hello', payload }))
    socket.on('server:draining', (payload) => listener.onNotice({ name: 'server:draining', payload }))
    socket.on('storage:updated', (payload) => listener.onNotice({ name: 'storage:updated', payload }))
    socket.on('event:received', (payload) => listener.onNotice({ name: 'event:received', payload }))
    return {
      request: (name, payload, answer) => void socket.emit(name, payload, answer),
      close: () => {
        socket.off()
        socket.disconnect()
      },
    }
  }
}

/** Any message: that names and payloads fit is seen to by the type of `Link`, which Socket.IO's generics can't follow. */
type Messages = Record<string, (payload: unknown, answer: (reply: never) => void) => void>

const away = (message: string, cause?: unknown): RealtimeError => new RealtimeError('UNAVAILABLE', { message, cause })

/** Errors of the network and of other middleware carry no code of ours. */
const isRefusal = (data: unknown): data is { code: unknown } => typeof data === 'object' && data !== null && 'code' in data
