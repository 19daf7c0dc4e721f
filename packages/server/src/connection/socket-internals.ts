import type { EventEmitter } from 'node:events'
import { Duplex, Writable } from 'node:stream'
import type { Server, Socket } from 'socket.io'

// Everything that needs private parts of Socket.IO, Engine.IO and ws is in this file, `compact-socket.ts`, `release-request.ts`
// and `handshake-query.ts`. Each part is checked before it is used. Where a check fails, the caller uses the public API instead.

/** A packet that Engine.IO has not handed to its transport yet. */
export interface QueuedPacket {
  readonly data?: string | { readonly byteLength: number }
}

type QueueListener = (socket: unknown) => void

/** The server of Engine.IO. It reports when a queue of one of its sockets is handed to the transport. */
export interface EngineServer {
  on(event: 'flush' | 'drain', listener: QueueListener): unknown
  off(event: 'flush' | 'drain', listener: QueueListener): unknown
}

/** A socket of Engine.IO: one client on one transport after another. */
export interface EngineSocket {
  readonly protocol: number
  readonly readyState: string
  readonly transport: object
  /** `null`, unless a ping is not answered yet. */
  readonly pingTimeoutTimer: unknown
  /** Packets that wait for the transport. The array is replaced when they are handed to it. */
  readonly writeBuffer: readonly QueuedPacket[]
  readonly server: EngineServer
  /** Sends a packet of Socket.IO. A WebSocket without compression sends the frame as it is. */
  write(text: string, options: { readonly wsPreEncodedFrame?: readonly Buffer[] }): unknown
  listenerCount(event: string): number
}

/** A WebSocket whose frames can be written to the stream below it. */
export interface DirectStream {
  readonly webSocket: { readonly readyState: number }
  /** The TCP or TLS socket. */
  readonly stream: Duplex
}

/** What Socket.IO's parser makes of an event of a client. */
export interface EventPacket {
  id?: number | undefined
  data: unknown[]
}

/** The part of a socket through which events of its client come. */
export interface EventSource {
  onevent(this: Socket, packet: EventPacket): void
  ack(id: number): (...args: unknown[]) => void
}

interface Upgraded {
  readonly readyState: number
  readonly _socket: Duplex
}

type Parts = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Parts => typeof value === 'object' && value !== null

/** A part of an object of another library. */
export const partOf = (owner: unknown, name: string): unknown => (isObject(owner) ? owner[name] : undefined)

const isEngineSocket = (conn: unknown): conn is EngineSocket =>
  isObject(conn) &&
  typeof conn['protocol'] === 'number' &&
  typeof conn['readyState'] === 'string' &&
  isObject(conn['transport']) &&
  Array.isArray(conn['writeBuffer']) &&
  typeof partOf(conn['server'], 'on') === 'function' &&
  typeof conn['write'] === 'function' &&
  typeof conn['listenerCount'] === 'function'

/** The version of Engine.IO's protocol in which packets are written here. Clients of Socket.IO 2 have version 3. */
export const ENGINE_PROTOCOL = 4

/** The socket of Engine.IO below a socket, or `undefined` where it is another than expected. */
export function engineSocketOf({ conn }: Pick<Socket, 'conn'>): EngineSocket | undefined {
  const engine: unknown = conn
  return isEngineSocket(engine) ? engine : undefined
}

const isUpgraded = (webSocket: unknown): webSocket is Upgraded => {
  if (!isObject(webSocket) || typeof webSocket['readyState'] !== 'number' || webSocket['extensions'] !== '') return false
  const stream = webSocket['_socket']
  return stream instanceof Duplex && typeof stream.writableCorked === 'number' && typeof stream.writableLength === 'number'
}

/**
 * The stream below a transport. `undefined` for polling, for a WebSocket with compression, which sends frames later than it
 * receives them, and for a transport that is another than expected.
 */
export function directStreamOf(transport: object): DirectStream | undefined {
  if (partOf(transport, 'name') !== 'websocket' || Boolean(partOf(transport, 'perMessageDeflate'))) return undefined
  const webSocket = partOf(transport, 'socket')
  return isUpgraded(webSocket) ? { webSocket, stream: webSocket._socket } : undefined
}

/** Whether Engine.IO has made the WebSocket of an upgrade. */
export const hasWebSocket = (request: object): boolean => partOf(request, 'websocket') !== undefined

/** The WebSocket of a transport, with the one listener that Engine.IO has for its messages. */
export interface MessageSource {
  readonly webSocket: EventEmitter
  readonly listener: (...args: unknown[]) => void
}

/** Whether it has listeners. */
export const isEmitter = (value: unknown): value is EventEmitter => typeof partOf(value, 'rawListeners') === 'function'

const isMessageListener = (value: unknown): value is MessageSource['listener'] => typeof value === 'function'

/** `undefined` for polling, and for a transport that is another than expected. */
export function messageSourceOf(transport: object): MessageSource | undefined {
  const webSocket = partOf(transport, 'name') === 'websocket' ? partOf(transport, 'socket') : undefined
  if (!isEmitter(webSocket)) return undefined
  const [listener, other] = webSocket.rawListeners('message')
  return isMessageListener(listener) && other === undefined ? { webSocket, listener } : undefined
}

/** What ws reads the frames of a client with. */
export interface FrameReceiver {
  write(chunk: Buffer): boolean
  /** Bytes that it has received and not sent. */
  readonly writableLength: number
  /** Of a message, bytes; 0: no limit. */
  readonly _maxPayload: number
  /** 0: the next byte begins a frame. */
  readonly _state: number
  readonly _bufferedBytes: number
  /** Not 0: a message whose frames have not all arrived. */
  readonly _fragmented: number
}

const isReceiver = (receiver: unknown): receiver is FrameReceiver =>
  receiver instanceof Writable &&
  partOf(receiver, '_isServer') === true &&
  ['_maxPayload', '_state', '_bufferedBytes', '_fragmented'].every((part) => typeof partOf(receiver, part) === 'number')

/** `undefined` where it is another than expected. */
export function frameReceiverOf(webSocket: object): FrameReceiver | undefined {
  const receiver = partOf(webSocket, '_receiver')
  return isReceiver(receiver) ? receiver : undefined
}

/** Whether the next byte begins a message. */
export const isBetweenFrames = ({ writableLength, _state, _bufferedBytes, _fragmented }: FrameReceiver): boolean =>
  _state === 0 && _bufferedBytes === 0 && _fragmented === 0 && writableLength === 0

/** Whether nothing but its one listener would miss a message that is taken before it. */
export const isOpenWithOneListener = (webSocket: EventEmitter): boolean =>
  partOf(webSocket, 'readyState') === OPEN && webSocket.listenerCount('message') === 1

/** A WebSocket that neither side has begun to close (WebSocket standard, `readyState`). */
const OPEN = 1

/** Whether a frame may be written to the stream: after a close frame none may follow. */
export const isWritable = ({ webSocket, stream }: DirectStream): boolean => webSocket.readyState === OPEN && stream.writable

const PROBES = [
  { packet: { type: 2, nsp: '/', data: ['a', { b: 'ü' }] }, text: '2["a",{"b":"ü"}]' },
  { packet: { type: 3, nsp: '/', id: 7, data: [{ ok: true }] }, text: '37[{"ok":true}]' },
]

/**
 * Whether packets of the server are encoded as the default parser of Socket.IO does it, and are not kept for recovery: then
 * text that is made here is what Socket.IO would send.
 */
export function hasDefaultPackets(io: Server): boolean {
  const options = partOf(io, 'opts')
  if (!isObject(options) || options['parser'] !== undefined || Boolean(options['connectionStateRecovery'])) return false
  const encoder: unknown = partOf(io, 'encoder')
  const encode = partOf(encoder, 'encode')
  if (typeof encode !== 'function') return false
  return PROBES.every(({ packet, text }) => {
    const encoded: unknown = Reflect.apply(encode, encoder, [{ ...packet }])
    return Array.isArray(encoded) && encoded.length === 1 && encoded[0] === text
  })
}

/** Whether the application listens to what is sent to this client. Only Socket.IO itself can call these listeners. */
export function isOutgoingObserved(socket: Socket, engine: EngineSocket): boolean {
  const listeners = partOf(socket, '_anyOutgoingListeners')
  return (Array.isArray(listeners) && listeners.length > 0) || engine.listenerCount('packetCreate') > 0
}

/** Whether the application listens to this message of the client. Only Socket.IO itself can call these listeners. */
export function isIncomingObserved(socket: Socket, name: string): boolean {
  const middleware = partOf(socket, 'fns')
  return !Array.isArray(middleware) || middleware.length > 0 || socket.listenersAny().length > 0 || socket.listenerCount(name) > 0
}

/** Whether the application listens to the packets of this client before Socket.IO, which has one listener of `data` itself. */
export const isUnpackingObserved = (engine: EngineSocket): boolean =>
  engine.listenerCount('packet') > 0 || engine.listenerCount('message') > 0 || engine.listenerCount('data') > 1

/** The socket as the source of events, or `undefined` where its methods are others than expected. */
export function eventSourceOf(socket: unknown): EventSource | undefined {
  const isSource = (value: unknown): value is EventSource =>
    isObject(value) && typeof value['onevent'] === 'function' && typeof value['ack'] === 'function'
  return isSource(socket) ? socket : undefined
}
