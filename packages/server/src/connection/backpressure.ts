import type { Socket } from 'socket.io'

/** What Engine.IO holds for one connection because it is not read (C4). */
export interface Backlog {
  /** True from when the limits are passed until the connection is written to again. */
  readonly isFull: boolean
  /** Runs it once nothing waits any more: at once, or when what waits has been handed to the network. One at a time. */
  afterDrain(run: () => void): void
}

/** How much may wait for one connection. */
export interface BacklogLimits {
  readonly maxPackets: number
  readonly maxBytes: number
}

/** What is told, the second once. */
export interface BacklogOptions extends BacklogLimits {
  /** The limits are passed. */
  onFull: () => void
  /** As much again has come since then as may wait at all. */
  onOverflow: () => void
}

/**
 * How long the limits must be passed, milliseconds. What is sent in one turn of the event loop waits for the next one,
 * however fast the reader is.
 */
const SETTLE_MS = 20

/** The part of Engine.IO's socket that tells. */
export type Engine = Pick<Socket['conn'], 'on' | 'once'>

/**
 * Watches what waits in Engine.IO's queue of a connection. What it has handed to the network is not counted, and is at most
 * as much again. Bytes of text are counted as its UTF-16 units.
 */
export function watchBacklog(engine: Engine, { maxPackets, maxBytes, onFull, onOverflow }: BacklogOptions): Backlog {
  let packets = 0
  let bytes = 0
  /** What has come since it was full. */
  let moreBytes = 0
  let isFull = false
  let isOver = false
  let timer: NodeJS.Timeout | undefined
  let waiting: (() => void) | undefined

  const isPast = (): boolean => bytes > maxBytes || packets > maxPackets

  const look = (): void => {
    timer = undefined
    if (!isPast()) return
    isFull = true
    moreBytes = 0
    onFull()
  }

  engine.on('packetCreate', ({ data }: { data?: string | { byteLength: number } }) => {
    const size = data === undefined ? 0 : typeof data === 'string' ? data.length : data.byteLength
    packets += 1
    bytes += size
    moreBytes += size
    if (isFull && moreBytes > maxBytes && !isOver) {
      isOver = true
      onOverflow()
    }
    // Timers come before the answers of the network in a turn of the event loop, and what follows `setImmediate` after them.
    if (!isFull && timer === undefined && isPast()) timer = setTimeout(() => void setImmediate(look), SETTLE_MS)
  })
  engine.on('flush', () => {
    packets = bytes = 0
    isFull = false
    clearTimeout(timer)
    timer = undefined
  })
  engine.on('drain', () => {
    const run = waiting
    waiting = undefined
    run?.()
  })
  engine.once('close', () => clearTimeout(timer))

  return {
    get isFull() {
      return isFull
    },
    afterDrain: (run) => {
      if (packets === 0) run()
      else waiting = run
    },
  }
}
