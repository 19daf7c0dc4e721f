/** Random choices that a seed repeats exactly. */
export interface SeededRandom {
  readonly seed: number
  /** A number from 0 up to, not including, 1. */
  next(): number
  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number
  /** One of the items; throws for an empty list. */
  pick<T>(items: readonly T[]): T
}

/** Mulberry32: small, fast, and the same on all platforms. Print the seed when a run fails. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (end: number): number => Math.floor(next() * end)
  return {
    seed,
    next,
    below,
    pick: (items) => {
      const [item] = items.slice(below(items.length))
      if (item === undefined) throw new RangeError('Nothing to pick from.')
      return item
    },
  }
}
