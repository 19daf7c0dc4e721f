import { parseKey, parsePrefix, type Entry, type EntryPage, type JsonObject, type JsonValue } from '@tutti/protocol'
import type { StateChange, StateStore, WriteResult } from '@tutti/storage-driver/contract'
import type { ServerErrorListener } from '../feature.ts'
import { parseRunningOptions, type RunningOptions } from '../subscription-options.ts'
import { EntryFollower } from './entry-follower.ts'
import { readOne } from './handlers/get.ts'
import {
  parseIncrementOptions,
  parseRemoveOptions,
  parseSetOptions,
  type StateIncrementOptions,
  type StateWriteOptions,
} from './write-options.ts'

/**
 * State as server code uses it: with all rights as `realtime.state`, with those of a user as `realtime.as(user).state`. Errors
 * are those of `StateStore.write`, `INVALID_KEY`, and for a user those that its own client would get.
 */
export interface ServerState {
  get(key: string): Promise<Entry>
  /** The entries of these keys, in their order. Rejects with `FORBIDDEN` where one of them may not be read. */
  read(keys: readonly string[]): Promise<Entry[]>
  /** A page of the entries below a prefix (`todos:`), in the order of their keys; with `after`, the one behind that key (S17). */
  list(prefix: string, after?: string): Promise<EntryPage>
  set(key: string, value: JsonValue, options?: StateWriteOptions): Promise<WriteResult>
  remove(key: string, options?: Pick<StateWriteOptions, 'ifVersion'>): Promise<WriteResult>
  /** Adds; an absent key starts at `initial`, default 0 (S7). */
  increment(key: string, by?: number, options?: StateIncrementOptions): Promise<WriteResult>
  /** Merges by property: JSON Merge Patch (S8). */
  patch(key: string, patch: JsonObject): Promise<WriteResult>
  /** Calls the listener with the entry as it is (unless it was never there) and after each change. Returns its undo. */
  watch(key: string, listener: (entry: Entry) => void, options?: RunningOptions): () => void
}

/** `realtime.state` over a store. `changes` adds a listener to the store's changes of one key, `onGap` to its gaps. */
export function createServerState(
  store: StateStore,
  changes: (key: string, listener: (change: StateChange) => void) => () => void,
  onError: ServerErrorListener,
): ServerState {
  return {
    get: async (key) => readOne(store, parseKey(key)),
    read: async (keys) => store.read(keys.map(parseKey)),
    list: async (prefix, after) => store.list(parsePrefix(prefix), after),
    set: async (key, value, options) => store.write({ op: 'set', key: parseKey(key), value, ...parseSetOptions(options) }),
    remove: async (key, options) => store.write({ op: 'remove', key: parseKey(key), ...parseRemoveOptions(options) }),
    increment: async (key, by = 1, options) => store.write({ op: 'increment', key: parseKey(key), by, ...parseIncrementOptions(options) }),
    patch: async (key, patch) => store.write({ op: 'patch', key: parseKey(key), patch }),
    watch: (key, listener, options) => {
      parseRunningOptions('watch', options)
      const follower = new EntryFollower(
        parseKey(key),
        () => readOne(store, key),
        listener,
        (error) => onError(error, { stage: 'listener', subject: key }),
      )
      const undo = [changes(key, (change) => follower.hear(change)), store.onGap(() => void follower.refresh())]
      void follower.refresh()
      return () => {
        for (const end of undo) end()
      }
    },
  }
}
