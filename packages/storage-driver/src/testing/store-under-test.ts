import { randomUUID } from 'node:crypto'
import type { StateChange, StateStore } from '../contract.ts'

/** The interface between the suite and an implementation: the store, and direct access to its storage. */
export interface StoreUnderTest {
  store: StateStore
  /** Another instance's store over the same data; the same object if only one is possible. */
  other: StateStore
  /** Stores a text like another program; null removes it. */
  put(key: string, text: string | null): Promise<void>
  /** The stored text, as other programs read it. */
  get(key: string): Promise<string | null>
  /** Disposes of the stores and their resources. */
  dispose(): Promise<void>
}

/** Returns the store to the sections of the suite once it is created. */
export type UseStore = () => StoreUnderTest

/** A key that no other test uses. */
export const freshKey = (name = 'key'): string => `${name}:${randomUUID()}`

/** An author with its own client. */
export const freshAuthor = (number = 1, user = 'user') => ({ user, clientId: randomUUID(), number })

/** The received changes of one key. */
export interface Recorder {
  readonly changes: readonly StateChange[]
  /** Settles when this number of changes was received. */
  count(number: number): Promise<readonly StateChange[]>
  stop(): void
}

/** Begins to record the changes of one key. */
export async function record(store: StateStore, key: string): Promise<Recorder> {
  const changes: StateChange[] = []
  const waiting = new Set<() => void>()
  // The text of a value is optional.
  const stop = store.onChange(({ valueJson: _valueJson, entryJson: _entryJson, ...change }) => {
    if (change.key !== key) return
    changes.push(change)
    for (const check of waiting) check()
  })
  await stop.ready
  return {
    changes,
    stop,
    count: (number) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (changes.length < number) return
          waiting.delete(check)
          resolve(changes)
        }
        waiting.add(check)
        check()
      }),
  }
}
