import type { EngineServer, EngineSocket, QueuedPacket } from './socket-internals.ts'

/** What waits in Engine.IO for one connection because it is not read. */
export interface Backlog {
  /** True from when the limits are passed until the connection is written to again. */
  readonly isFull: boolean
  /** Runs it once nothing waits any more: at once, or when everything was passed to the network. */
  afterDrain(run: () => void): void
}

/** How much may wait for one connection. */
export interface BacklogLimits {
  readonly maxPackets: number
  readonly maxBytes: number
}

/** What is reported of a connection, the second once. */
export interface BackpressureOptions<Owner> extends BacklogLimits {
  /** The limits are passed. */
  onFull(owner: Owner): void
  /** As much again has come since then as may wait at all. */
  onOverflow(owner: Owner): void
}

/** A backlog that its owner and Engine.IO keep up to date. */
export interface PacketQueue extends Backlog {
  /** Packets may have been added. */
  count(): void
  /** The connection is gone. */
  close(): void
}

/** The queues of the connections of one server. */
export interface Backpressure<Owner> {
  /** The queue of a connection. Make it when something waits for the first time: most connections need none. */
  open(engine: QueueSource, owner: Owner): PacketQueue
  /** Removes the listeners. */
  close(): void
}

/** The part of Engine.IO's socket that is counted. */
export type QueueSource = Pick<EngineSocket, 'writeBuffer' | 'server'>

/**
 * How long the limits must be passed, milliseconds. What is sent in one turn of the event loop waits for the next one,
 * however fast the reader is.
 */
const SETTLE_MS = 20

/** Makes the queues of one server, with two listeners on each server of Engine.IO and none on its sockets. */
export function createBackpressure<Owner>(options: BackpressureOptions<Owner>): Backpressure<Owner> {
  const servers = new Set<EngineServer>()
  const queues = new WeakMap<object, CountedQueue<Owner>>()
  const queueOf = (socket: unknown): CountedQueue<Owner> | undefined =>
    typeof socket === 'object' && socket !== null ? queues.get(socket) : undefined
  const onFlush = (socket: unknown): void => queueOf(socket)?.onFlush()
  const onDrain = (socket: unknown): void => queueOf(socket)?.onDrain()
  return {
    open: (engine, owner) => {
      const { server } = engine
      if (!servers.has(server)) {
        servers.add(server)
        server.on('flush', onFlush)
        server.on('drain', onDrain)
      }
      const queue = new CountedQueue(engine, owner, options)
      queues.set(engine, queue)
      return queue
    },
    close: () => {
      for (const server of servers) {
        server.off('flush', onFlush)
        server.off('drain', onDrain)
      }
      servers.clear()
    },
  }
}

/**
 * Counts what waits in Engine.IO's queue of one connection. What is handed to the network is not counted, and is bounded:
 * frames are written directly only while nothing waits there, and Engine.IO hands over a queue only when the one before has
 * left. Packets of the application are counted with the next packet of the server. Bytes of text are its UTF-16 units.
 */
class CountedQueue<Owner> implements PacketQueue {
  isFull = false
  private readonly engine: QueueSource
  private readonly owner: Owner
  private readonly options: BackpressureOptions<Owner>
  /** Packets of the present array that are counted. */
  private packets = 0
  private bytes = 0
  /** Bytes that have come since it was full. */
  private moreBytes = 0
  private isOver = false
  private timer: NodeJS.Timeout | undefined
  private waiting: (() => void)[] | undefined

  constructor(engine: QueueSource, owner: Owner, options: BackpressureOptions<Owner>) {
    this.engine = engine
    this.owner = owner
    this.options = options
  }

  count(): void {
    const { writeBuffer } = this.engine
    for (; this.packets < writeBuffer.length; this.packets += 1) {
      const size = sizeOf(writeBuffer[this.packets])
      this.bytes += size
      this.moreBytes += size
    }
    const { maxBytes, onOverflow } = this.options
    if (this.isFull && this.moreBytes > maxBytes && !this.isOver) {
      this.isOver = true
      onOverflow(this.owner)
    }
    // Timers come before the answers of the network in a turn of the event loop, and what follows `setImmediate` after them.
    if (!this.isFull && this.timer === undefined && this.isPast()) {
      this.timer = setTimeout(() => void setImmediate(() => this.settle()), SETTLE_MS)
    }
  }

  /** All of it is handed to the network. */
  onFlush(): void {
    this.packets = 0
    this.bytes = 0
    this.isFull = false
    this.close()
  }

  /** Follows `onFlush`, when more may be sent. */
  onDrain(): void {
    const waiting = this.waiting
    this.waiting = undefined
    for (const run of waiting ?? []) this.afterDrain(run)
  }

  afterDrain(run: () => void): void {
    if (this.engine.writeBuffer.length === 0) run()
    else (this.waiting ??= []).push(run)
  }

  close(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }

  private isPast(): boolean {
    return this.bytes > this.options.maxBytes || this.packets > this.options.maxPackets
  }

  private settle(): void {
    this.timer = undefined
    if (!this.isPast()) return
    this.isFull = true
    this.moreBytes = 0
    this.options.onFull(this.owner)
  }
}

const sizeOf = ({ data }: QueuedPacket = {}): number => (data === undefined ? 0 : typeof data === 'string' ? data.length : data.byteLength)
