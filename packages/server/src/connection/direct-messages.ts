import type { Socket } from 'socket.io'
import type { MessageListener } from './client-messages.ts'
import { readFrames, type TakeMessage } from './frame-reader.ts'
import {
  ENGINE_PROTOCOL,
  engineSocketOf,
  frameReceiverOf,
  isIncomingObserved,
  isOpenWithOneListener,
  isUnpackingObserved,
  messageSourceOf,
  type EngineSocket,
  type MessageSource,
} from './socket-internals.ts'

const ZERO = '0'.charCodeAt(0)
const NINE = '9'.charCodeAt(0)
const BRACKET = '['.charCodeAt(0)

/** Engine.IO's type of a message, and Socket.IO's type of an event in the namespace `/`. */
const [MESSAGE, EVENT] = ['4'.charCodeAt(0), '2'.charCodeAt(0)]

const OURS = /^(storage|event|presence|lock|room|document|server):/

/** Whether a message belongs to the protocol. All others belong to the application. */
export const isOurs = (name: unknown): name is string => typeof name === 'string' && OURS.test(name)

/** An id with more digits is left to Socket.IO. */
const MAX_ID_DIGITS = 15

/** An event as the client of Socket.IO sends it. */
class ClientEvent {
  readonly name: string
  readonly message: unknown
  /** Of the packet. `undefined`: no acknowledgement is wanted. */
  readonly id: number | undefined

  constructor(name: string, message: unknown, id: number | undefined) {
    this.name = name
    this.message = message
    this.id = id
  }
}

/**
 * Takes messages of the protocol directly from the WebSocket of a socket, without the steps of Engine.IO and Socket.IO in
 * between. All else goes to them as before: other messages, those that the application observes, texts of 64 KiB and more, and all
 * of a connection that uses polling. A message behind one of those in the same turn goes there too, so messages of the protocol keep
 * their order.
 */
export function receiveDirectly(socket: Socket, receive: MessageListener): void {
  const engine = engineSocketOf(socket)
  if (engine?.protocol !== ENGINE_PROTOCOL) return
  const attach = (transport: object): void => {
    const source = messageSourceOf(transport)
    if (source !== undefined) listenTo(source, { socket, engine, receive, isBehind: false })
  }
  if (socket.conn.transport.name === 'polling') socket.conn.once('upgrade', attach)
  else attach(engine.transport)
}

/** One WebSocket. Each connection has one, so it has as few parts as possible. */
interface Intake {
  readonly socket: Socket
  readonly engine: EngineSocket
  readonly receive: MessageListener
  /** Whether Socket.IO still has messages of this turn. */
  isBehind: boolean
}

function listenTo({ webSocket, listener }: MessageSource, intake: Intake): void {
  const receiver = frameReceiverOf(webSocket)
  if (receiver !== undefined) {
    const takeFrom: TakeMessage = (bytes, start, end) => isOpenWithOneListener(webSocket) && take(intake, bytes, start, end)
    return readFrames(receiver, takeFrom, () => noteLeft(intake))
  }
  webSocket.off('message', listener)
  webSocket.on('message', (bytes: unknown, isBinary: unknown) => {
    if (isBinary === false && Buffer.isBuffer(bytes) && take(intake, bytes, 0, bytes.length)) return
    Reflect.apply(listener, webSocket, [bytes, isBinary])
    noteLeft(intake)
  })
}

/** A message was left to Socket.IO, which passes it on in the next tick, so before `endTurn`. */
function noteLeft(intake: Intake): void {
  intake.isBehind = true
  process.nextTick(endTurn, intake)
}

function endTurn(intake: Intake): void {
  intake.isBehind = false
}

function take({ isBehind, socket, engine, receive }: Intake, bytes: Buffer, start: number, end: number): boolean {
  // After a ping Engine.IO counts every packet as a sign of life.
  if (isBehind || engine.readyState !== 'open' || engine.pingTimeoutTimer !== null) return false
  const event = eventOf(bytes, start, end)
  if (event === undefined || isIncomingObserved(socket, event.name) || isUnpackingObserved(engine)) return false
  receive(socket, event.name, event.message, event.id)
  return true
}

/** The event in a message, if it is one of the protocol. Everything else is left to Socket.IO, also to refuse it. */
function eventOf(bytes: Buffer, start: number, end: number): ClientEvent | undefined {
  if (bytes[start] !== MESSAGE || bytes[start + 1] !== EVENT) return undefined
  let at = start + 2
  let id = 0
  for (let digit = bytes[at] ?? 0; digit >= ZERO && digit <= NINE && at < end; digit = bytes[at] ?? 0) {
    id = id * 10 + digit - ZERO
    at += 1
  }
  const digits = at - start - 2
  if (bytes[at] !== BRACKET || digits > MAX_ID_DIGITS) return undefined
  const text = bytes.toString('utf8', at, end)
  // Instead of bytes that are no UTF-8. ws ends the connection then.
  if (text.includes('\ufffd')) return undefined
  const data = parsed(text)
  if (!Array.isArray(data) || !isOurs(data[0])) return undefined
  return new ClientEvent(data[0], data[1], digits === 0 ? undefined : id)
}

/** The beginning of a list of keys to subscribe to: all clients of a page send the same list when they reconnect. */
const KEY_LIST = '["storage:subscribe",{"keys":['

/** The last such list. Nothing modifies what it contains. */
let lastKeyList: { readonly json: string; readonly data: unknown } | undefined

function parsed(json: string): unknown {
  if (json === lastKeyList?.json) return lastKeyList.data
  try {
    const data: unknown = JSON.parse(json)
    if (json.startsWith(KEY_LIST)) lastKeyList = { json, data }
    return data
  } catch {
    return undefined
  }
}
