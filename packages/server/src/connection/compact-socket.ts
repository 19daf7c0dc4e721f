import type { Socket } from 'socket.io'
import { createDelayed, TIDY_AFTER_MS } from './delayed.ts'
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

const isBound =
  (method: (typeof METHODS)[number]) =>
  ({ name }: { readonly name: string }): boolean =>
    name === `bound ${method}`

/** The one listener that Engine.IO's socket has for each event of its transport. */
const OWN = {
  error: isBound('onError'),
  ready: isFlush,
  packet: isBound('onPacket'),
  drain: isBound('onDrain'),
  close: isBound('onClose'),
}

/**
 * Makes the function that reduces what is kept for a connection on a WebSocket, a second later. Where a part is another than
 * expected, it stays as it is. So do all parts of a connection that uses polling, or began with it.
 */
export function createSocketCompactor(): (socket: Socket) => void {
  /** A Socket.IO server may have several servers of Engine.IO. */
  const sharings = new WeakMap<object, (transport: object) => void>()

  const compact = (socket: Socket): void => {
    const { client, conn } = socket
    const direct = directStreamOf(conn.transport)
    if (direct === undefined || conn.readyState !== 'open') return
    const engine: unknown = partOf(conn, 'server')
    if (typeof engine === 'object' && engine !== null) {
      let share = sharings.get(engine)
      if (share === undefined) sharings.set(engine, (share = createListenerSharing(engine)))
      share(conn.transport)
    }
    removeUpgradeListener(direct.webSocket)
    for (const emitter of [conn.transport, conn, socket, direct.webSocket]) compactListeners(emitter)
    compactCallbacks(partOf(client, 'decoder'))
    compactMap(client, 'sockets')
    compactMap(client, 'nsps')
    compactMap(socket, 'acks')
  }
  const compactLater = createDelayed(compact, TIDY_AFTER_MS)
  return (socket) => {
    if (directStreamOf(socket.conn.transport) !== undefined) compactLater(socket)
  }
}

/** Makes the function that replaces the listeners of the owner of a transport by those of all transports of one Engine.IO. */
function createListenerSharing(engine: object): (transport: object) => void {
  /** Engine.IO's socket of a transport, unless that was replaced or closed. */
  const ownerOf = (transport: object): TransportOwner | undefined => {
    const owner = partOf(partOf(engine, 'clients'), String(partOf(transport, 'sid')))
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

  /** Whether the listeners of the first transport are as expected: all transports of one Engine.IO have the same. */
  let isExpected: boolean | undefined

  return (transport) => {
    const events = tableOf(transport)
    const owner = ownerOf(transport)
    if (events === undefined || owner?.cleanupFn.length !== 1) return
    // A list has listeners of the application too.
    if (names.some((name) => typeof events[name] !== 'function')) return
    isExpected ??= isEmitter(transport) && names.every((name) => transport.listeners(name).every(OWN[name]))
    if (!isExpected) return
    // There is no other listener that its function would remove.
    owner.cleanupFn.length = 0
    Object.assign(events, shared)
  }
}

/** Engine.IO leaves this listener where the connection begins with a WebSocket. It does nothing, and keeps the upgrade in memory. */
function removeUpgradeListener(webSocket: unknown): void {
  if (!isEmitter(webSocket)) return
  const [listener, other] = webSocket.rawListeners('error')
  if (listener?.name === 'onUpgradeError' && other !== undefined) webSocket.off('error', listener as Listener)
}

/** The listeners of an emitter by event. Those of streams have another form. */
function tableOf(emitter: object): Record<string, unknown> | undefined {
  const events = partOf(emitter, '_events')
  return isTable(events) ? events : undefined
}

const isTable = (events: unknown): events is Record<string, unknown> =>
  typeof events === 'object' &&
  events !== null &&
  Object.getPrototypeOf(events) === null &&
  Object.getOwnPropertySymbols(events).length === 0

/** Node keeps the listeners by event in a hash table with many free places. A plain object with the same entries has none. */
function compactListeners(emitter: object): void {
  const events = tableOf(emitter)
  if (events === undefined) return
  const compact: Record<string, unknown> = {}
  // A spread of a hash table takes three times as long.
  for (const name in events) compact[name] = events[name]
  Reflect.set(emitter, '_events', Object.setPrototypeOf(compact, null))
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
