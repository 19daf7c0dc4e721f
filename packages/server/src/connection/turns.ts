import type { Duplex } from 'node:stream'

/** Turns of the event loop, and the streams that are corked until the end of the present one. */
export interface Turns {
  /** The number of the present turn. */
  enter(): number
  /** From now on the stream collects, and writes all of it at the end of the turn. */
  cork(stream: Duplex): void
}

/** Counts turns: each ends with the immediates that follow the I/O of the event loop. */
export function createTurns(): Turns {
  let number = 1
  let isEntered = false
  let corked: Duplex[] = []

  const end = (): void => {
    const streams = corked
    corked = []
    isEntered = false
    number += 1
    for (const stream of streams) stream.uncork()
  }
  const enter = (): number => {
    if (!isEntered) {
      isEntered = true
      setImmediate(end)
    }
    return number
  }

  return {
    enter,
    cork: (stream) => {
      enter()
      stream.cork()
      corked.push(stream)
    },
  }
}
