import type { Socket } from 'node:net'

/** A half of a connection: `up` from the client, `down` from the server. */
export type Direction = 'up' | 'down'

/** Faults of a link. Without a direction: in both halves. */
export interface LinkFaults {
  /** Closes it on both sides with a reset. */
  cut(): void
  /** Buffers the bytes until `flow()`: nothing is lost, nothing arrives. */
  stall(direction?: Direction): void
  /** Discards the bytes, while the connection appears open. */
  drop(direction?: Direction): void
  /** Delays every byte, milliseconds. */
  delay(ms: number, direction?: Direction): void
  /** Forwards this many bytes per second. More than a few packets wait at the sender. */
  limit(bytesPerSecond: number, direction?: Direction): void
  /**
   * Ends stalls, drops, delays and limits. A connection that has lost bytes is cut, because a TCP stream cannot continue with a gap.
   */
  flow(): void
}

/** The current fault of a half. */
export interface HalfFault {
  readonly kind: 'flow' | 'stall' | 'drop' | 'delay' | 'limit'
  readonly ms: number
  readonly bytesPerSecond?: number
}

/** A half without a fault. */
export const FLOWING: HalfFault = { kind: 'flow', ms: 0 }

/** One direction of one connection. */
export interface Half {
  set(fault: HalfFault): void
  /** True once bytes were lost. */
  readonly torn: boolean
  /** Bytes that were forwarded. */
  readonly bytes: number
}

const MAX_KEPT_BYTES = 1 << 20

/** The queue of a slow link. */
const MAX_LIMITED_BYTES = 65_536

/** Forwards bytes from `source` to `sink`, in order, subject to the current fault. */
export function createHalf(source: Socket, sink: Socket, first: HalfFault, observe: (data: Buffer) => void = () => {}): Half {
  const kept: { data: Buffer; due: number }[] = []
  let keptBytes = 0
  let bytes = 0
  /** When the last byte that was accepted is through, on a slow link. */
  let busyUntil = 0
  let fault = first
  let torn = false
  let timer: NodeJS.Timeout | undefined

  const pass = (): void => {
    clearTimeout(timer)
    timer = undefined
    while (fault.kind !== 'stall') {
      const [next] = kept
      if (next === undefined) break
      const wait = next.due - performance.now()
      if (wait > 0) {
        timer = setTimeout(pass, wait)
        break
      }
      kept.shift()
      keptBytes -= next.data.length
      bytes += next.data.length
      if (!sink.destroyed) sink.write(next.data)
    }
    // The sender is paused, as behind a full socket buffer.
    if (keptBytes > (fault.kind === 'limit' ? MAX_LIMITED_BYTES : MAX_KEPT_BYTES)) source.pause()
    else source.resume()
  }

  source.on('data', (data: Buffer) => {
    observe(data)
    if (fault.kind === 'drop') {
      torn = true
      return
    }
    const { ms, bytesPerSecond = Infinity } = fault
    busyUntil = Math.max(performance.now(), busyUntil) + (data.length * 1_000) / bytesPerSecond
    kept.push({ data, due: busyUntil + ms })
    keptBytes += data.length
    pass()
  })
  source.on('close', () => clearTimeout(timer))

  return {
    set: (next) => {
      fault = next
      if (next.kind === 'flow') {
        busyUntil = 0
        for (const part of kept) part.due = 0
      }
      pass()
    },
    get torn() {
      return torn
    },
    get bytes() {
      return bytes
    },
  }
}
