import { randomUUID } from 'node:crypto'
import type { StateChange, StateStore } from '../contract.ts'

/** What the suite needs of an implementation: the store, and a way to its storage past the store. */
export interface StoreUnderTest {
  store: StateStore
  /** Another instance's store over the same data; the same object where there can be only one. */
  other: StateStore
  /** Stores a text as another program would; null removes it. */
  put(key: string, text: string | null): Promise<void>
  /** The stored text, as another program would read it. */
  get(key: string): Promise<string | null>
  /** Ends the stores and what they stand on. */
  dispose(): Promise<void>
}

/** Gives the sections of the suite the store, once it has been made. */
export type UseStore = () => StoreUnderTest

/** A key that no other test uses. */
export const freshKey = (name = 'key'): string => `${name}:${randomUUID()}`

/** An author with a client of its own. */
export const freshAuthor = (number = 1, user = 'user') => ({ user, clientId: randomUUID(), number })

/** Changes of one key, as they come. */
export interface Recorder {
  readonly changes: readonly StateChange[]
  /** Settles when so many have come. */
  count(number: number): Promise<readonly StateChange[]>
  stop(): void
}

/** Begins to record the changes of one key. */
export async function record(store: StateStore, key: string): Promise<Recorder> {
  const changes: StateChange[] = []
  const waiting = new Set<() => void>()
  // A store may have the text of a value or not.
  const stop = store.onChange(({ valueJson: _valueJson, ...change }) => {
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
