/** Values by key that are forgotten some time after their last use. */
export interface Recent<Key, Value> {
  /** The value of the key, made where there is none. */
  get(key: Key): Value
}

/**
 * Makes them. A value is remembered for `forMs` after its last use at least, and is forgotten with a later use of another one: all
 * values that were not used in the present period or the one before are dropped at once, so none is visited and there is no timer.
 */
export function createRecent<Key, Value>(forMs: number, create: () => Value, now: () => number): Recent<Key, Value> {
  let present = new Map<Key, Value>()
  let previous = new Map<Key, Value>()
  let since = now()

  const endPeriod = (at: number): void => {
    previous = at - since < 2 * forMs ? present : new Map<Key, Value>()
    present = new Map()
    since = at
  }
  return {
    get: (key) => {
      const at = now()
      if (at - since >= forMs) endPeriod(at)
      const existing = present.get(key)
      if (existing !== undefined) return existing
      const value = previous.get(key) ?? create()
      present.set(key, value)
      return value
    },
  }
}
