import type { EventEmitter } from 'node:events'
import type { Server, Socket } from 'socket.io'
import { SmallMap } from './small-map.ts'
import { directStreamOf, isEmitter, partOf } from './socket-internals.ts'

// Private parts, as in `socket-internals.ts`: what Engine.IO, Socket.IO, ws and Node make for each connection, although all
// connections can share it, or much larger than its content. It is a quarter of the memory of an idle connection.

type Listener = (...args: unknown[]) => void

/** Engine.IO's socket, as the listener of its transport. */
interface TransportOwner {
  readonly transport: object
  /** Functions that remove its listeners. */
  readonly cleanupFn: unknown[]
  onError: Listener
  onPacket: Listener
  onDrain: Listener
  onClose: Listener
  flush: Listener
}

const METHODS = ['onError', 'onPacket', 'onDrain', 'onClose', 'flush'] as const

const isOwner = (value: unknown): value is TransportOwner =>
  Array.isArray(partOf(value, 'cleanupFn')) && METHODS.every((method) => typeof partOf(value, method) === 'function')

/** `() => this.flush()` of Engine.IO 6.6, bundled or not. */
const FLUSH = /^\(\)\s*=>\s*this\.flush\(\)$/

const isFlush = (listener: object): boolean => FLUSH.test(Function.prototype.toString.call(listener))

/** The one listener that Engine.IO's socket has for each event of its transport. */
const OWN = {
  error: ({ name }: { name: string }) => name === 'bound onError',
  ready: isFlush,
  packet: ({ name }: { name: string }) => name === 'bound onPacket',
  drain: ({ name }: { name: string }) => name === 'bound onDrain',
  close: ({ name }: { name: string }) => name === 'bound onClose',
}

/**
 * Makes the function that reduces what is kept for a connection on a WebSocket, at the end of this turn of the event loop. Where
 * a part is another than expected, it stays as it is. So do all parts of a connection that uses polling, or began with it.
 */
export function createSocketCompactor(io: Pick<Server, 'engine'>): (socket: Socket) => void {
  /** Engine.IO's socket of a transport, unless that was replaced or closed. */
  const ownerOf = (transport: object): TransportOwner | undefined => {
    const owner = partOf(partOf(io.engine, 'clients'), String(partOf(transport, 'sid')))
    return isOwner(owner) && owner.transport === transport ? owner : undefined
  }

  /** Does with the events of a transport what its owner does. */
  const shared: Record<keyof typeof OWN, Listener> = {
    error(this: object, error) {
      ownerOf(this)?.onError(error)
    },
    ready(this: object) {
      ownerOf(this)?.flush()
    },
    packet(this: object, packet) {
      ownerOf(this)?.onPacket(packet)
    },
    drain(this: object) {
      ownerOf(this)?.onDrain()
    },
    close(this: object, description) {
      ownerOf(this)?.onClose('transport close', description)
    },
  }
  const names = Object.keys(shared) as (keyof typeof OWN)[]

  /** Replaces the listeners of one owner by those of all. */
  const shareListeners = (transport: EventEmitter): void => {
    const owner = ownerOf(transport)
    const [cleanUp, other] = owner?.cleanupFn ?? []
    const isExpected = (name: keyof typeof OWN): boolean => {
      const [listener, another] = transport.listeners(name)
      return listener !== undefined && another === undefined && OWN[name](listener)
    }
    if (typeof cleanUp !== 'function' || other !== undefined || !names.every(isExpected)) return
    Reflect.apply(cleanUp, owner, [])
    if (owner !== undefined) owner.cleanupFn.length = 0
    for (const name of names) transport.on(name, shared[name])
  }

  const compact = (socket: Socket): void => {
    const { client, conn } = socket
    const direct = directStreamOf(conn.transport)
    if (direct === undefined || conn.readyState !== 'open') return
    if (isEmitter(conn.transport)) shareListeners(conn.transport)
    removeUpgradeListener(direct.webSocket)
    for (const emitter of [conn.transport, conn, socket, direct.webSocket]) compactListeners(emitter)
    compactCallbacks(partOf(client, 'decoder'))
    compactMap(client, 'sockets')
    compactMap(client, 'nsps')
    compactMap(socket, 'acks')
  }
  return (socket) => void setImmediate(compact, socket)
}

/** Engine.IO leaves this listener where the connection begins with a WebSocket. It does nothing, and keeps the upgrade in memory. */
function removeUpgradeListener(webSocket: unknown): void {
  if (!isEmitter(webSocket)) return
  const [listener, other] = webSocket.rawListeners('error')
  if (listener?.name === 'onUpgradeError' && other !== undefined) webSocket.off('error', listener as Listener)
}

/** Node keeps the listeners by event in a hash table with many free places. A plain object with the same entries has none. */
function compactListeners(emitter: object): void {
  const events = partOf(emitter, '_events')
  // Those of streams are a plain object.
  if (typeof events !== 'object' || events === null || Object.getPrototypeOf(events) !== null) return
  Reflect.set(emitter, '_events', Object.setPrototypeOf({ ...events }, null))
}

/** The lists of callbacks of Socket.IO's decoder have space for 16 more. */
function compactCallbacks(decoder: unknown): void {
  const callbacks = partOf(decoder, '_callbacks')
  if (typeof callbacks !== 'object' || callbacks === null) return
  for (const [name, list] of Object.entries(callbacks)) if (Array.isArray(list)) Reflect.set(callbacks, name, list.slice())
}

function compactMap(owner: object, name: string): void {
  const map = partOf(owner, name)
  if (map instanceof Map && map.size <= 1) Reflect.set(owner, name, new SmallMap(map))
}
