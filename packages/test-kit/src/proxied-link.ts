import type { Socket } from 'node:net'

/** Which half of a connection: `up` is what the client sends, `down` what the server answers. */
export type Direction = 'up' | 'down'

/** What can be done to a link. Without a direction: to both halves. */
export interface LinkFaults {
  /** Ends it at both sides, as a reset. */
  cut(): void
  /** Keeps the bytes back until `flow()`: nothing is lost, nothing arrives. */
  stall(direction?: Direction): void
  /** Loses the bytes, while the connection looks alive. */
  drop(direction?: Direction): void
  /** Every byte takes so long on its way, milliseconds. */
  delay(ms: number, direction?: Direction): void
  /** Ends stalls, drops and delays. A connection that has lost bytes is cut, for no TCP stream goes on with a hole. */
  flow(): void
}

/** How a half treats its bytes. */
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

/** Passes on what `source` gives to `sink`, in order, as the fault of the moment says. */
export function createHalf(source: Socket, sink: Socket, first: HalfFault, look: (data: Buffer) => void = () => {}): Half {
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
    // The sender feels it, as behind a full socket buffer.
    if (keptBytes > MAX_KEPT_BYTES) source.pause()
    else source.resume()
  }

  source.on('data', (data: Buffer) => {
    look(data)
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
