import type { LogPosition } from '@tutti/coordination/logs'

/** How long a snapshot that no client requests stays in memory, milliseconds. */
const KEPT_MS = 10_000

/** The whole document up to an offset, as bytes. */
export interface Snapshot extends LogPosition {
  readonly bytes: Uint8Array
}

/** The snapshot that clients share which open a document at about the same time: to encode it takes long. */
export interface PreparedSnapshot {
  /** The last one, unless it is too old or was not used for a while; `make` makes it. */
  get(isUsable: (snapshot: Snapshot) => boolean, make: () => Snapshot): Snapshot
  clear(): void
}

/** Prepares the snapshots of one document. */
export function createPreparedSnapshot(): PreparedSnapshot {
  let snapshot: Snapshot | undefined
  let timer: NodeJS.Timeout | undefined

  const clear = (): void => {
    clearTimeout(timer)
    snapshot = undefined
  }
  return {
    get: (isUsable, make) => {
      const found = snapshot !== undefined && isUsable(snapshot) ? snapshot : make()
      clear()
      snapshot = found
      timer = setTimeout(clear, KEPT_MS)
      timer.unref()
      return found
    },
    clear,
  }
}
