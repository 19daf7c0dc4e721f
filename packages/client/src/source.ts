/**
 * A value that changes: all that a UI binding needs. `current` is the same object until it changes, so that it can be
 * compared with `===`.
 */
export interface Source<T> {
  readonly current: T
  /** Calls the listener after each change. Returns its undo. */
  subscribe(listener: (current: T) => void): () => void
}
