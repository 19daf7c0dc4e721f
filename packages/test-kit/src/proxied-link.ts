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
  /**
   * Ends stalls, drops and delays. A connection that has lost bytes is cut, because a TCP stream cannot continue with a gap.
   */
  flow(): void
}

/** The current fault of a half. */
export interface HalfFault {
  readonly kind: 'flow' | 'stall' | 'drop' | 'delay'
  readonly ms: number
}

/** A half without a fault. */
export const FLOWING: HalfFault = { kind: 'flow', ms: 0 }

/** One direction of one connection. */
export interface Half {
  set(fault: HalfFault): void
  /** True once bytes were lost. */
  readonly torn: boolean
}

const MAX_KEPT_BYTES = 1 << 20

/** Forwards bytes from `source` to `sink`, in order, subject to the current fault. */
export function createHalf(source: Socket, sink: Socket, first: HalfFault, observe: (data: Buffer) => void = () => {}): Half {
  const kept: { data: Buffer; due: number }[] = []
  let keptBytes = 0
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
      if (!sink.destroyed) sink.write(next.data)
    }
    // The sender is paused, as behind a full socket buffer.
    if (keptBytes > MAX_KEPT_BYTES) source.pause()
    else source.resume()
  }

  source.on('data', (data: Buffer) => {
    observe(data)
    if (fault.kind === 'drop') {
      torn = true
      return
    }
    kept.push({ data, due: performance.now() + fault.ms })
    keptBytes += data.length
    pass()
  })
  source.on('close', () => clearTimeout(timer))

  return {
    set: (next) => {
      fault = next
      if (next.kind === 'flow') for (const part of kept) part.due = 0
      pass()
    },
    get torn() {
      return torn
    },
  }
}
