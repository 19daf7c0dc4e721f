import { parseKey, parsePrefix, type Entry, type EntryPage, type JsonObject, type JsonValue } from '@tutti/protocol'
import type { StateChange, StateStore, WriteResult } from '@tutti/storage-driver/contract'
import type { ServerErrorListener } from '../feature.ts'
import { parseSubscriptionOptions, type SubscriptionOptions } from '../subscription-options.ts'
import type { EntryReads } from './entry-reads.ts'
import { readOne } from './read-handlers.ts'
import type { ValidatedWrite } from './schema-validation.ts'
import { createWatchedEntry } from './watched-entry.ts'
import { createWatchedPrefix } from './watched-prefix.ts'
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
  /**
   * The entries of these keys, in their order.
   *
   * @throws {RealtimeError} `FORBIDDEN` if one of them may not be read.
   */
  read(keys: readonly string[]): Promise<Entry[]>
  /** A page of the entries below a prefix (`todos:`), in the order of their keys; with `after`, the one behind that key. */
  list(prefix: string, after?: string): Promise<EntryPage>
  set(key: string, value: JsonValue, options?: StateWriteOptions): Promise<WriteResult>
  remove(key: string, options?: Pick<StateWriteOptions, 'ifVersion'>): Promise<WriteResult>
  /** Adds to a number, 1 by default. An absent key starts at `initial`. */
  increment(key: string, by?: number, options?: StateIncrementOptions): Promise<WriteResult>
  /** Merges by property: JSON Merge Patch. */
  patch(key: string, patch: JsonObject): Promise<WriteResult>
  /**
   * Calls the listener with the current entry (unless it was never written) and after each change. Returns an unsubscribe
   * function. `todos:*` is all entries below `todos:`; each call is for one entry. A user (`realtime.as`) watches keys only.
   *
   * @throws {RealtimeError} `INVALID_KEY`.
   */
  watch(key: string, listener: (entry: Entry) => void, options?: SubscriptionOptions): () => void
}

/** What `realtime.state` is made of. */
export interface ServerStateOptions {
  readonly reads: EntryReads
  readonly write: ValidatedWrite
  /** Adds a listener to the changes of one key. */
  onChange(key: string, listener: (change: StateChange) => void): () => void
  /** Adds a listener to the changes of all keys below a prefix. */
  onChangeBelow(prefix: string, listener: (change: StateChange) => void): () => void
  readonly onGap: StateStore['onGap']
  readonly onError: ServerErrorListener
}

/** `watch` of all entries below a prefix. */
function watchPrefix(
  { reads, onChangeBelow, onGap, onError }: ServerStateOptions,
  prefix: string,
  listener: (entry: Entry) => void,
): () => void {
  const watched = createWatchedPrefix({
    list: (after) => reads.list(prefix, after),
    read: (key) => readOne(reads, key),
    listener,
    onError: (error, key = `${prefix}*`) => onError(error, { stage: 'listener', subject: key }),
  })
  const ends = [onChangeBelow(prefix, watched.apply), onGap(() => void watched.refresh()), watched.close]
  void watched.refresh()
  return () => {
    for (const end of ends) end()
  }
}

/** Makes `realtime.state`. */
export const createServerState = (stateOptions: ServerStateOptions): ServerState => {
  const { reads, write, onChange, onGap, onError } = stateOptions
  return {
    get: async (key) => readOne(reads, parseKey(key)),
    read: async (keys) => reads.read(keys.map(parseKey)),
    list: async (prefix, after) => reads.list(parsePrefix(prefix), after),
    set: async (key, value, options) => write({ op: 'set', key: parseKey(key), value, ...parseSetOptions(options) }),
    remove: async (key, options) => write({ op: 'remove', key: parseKey(key), ...parseRemoveOptions(options) }),
    increment: async (key, by = 1, options) => write({ op: 'increment', key: parseKey(key), by, ...parseIncrementOptions(options) }),
    patch: async (key, patch) => write({ op: 'patch', key: parseKey(key), patch }),
    watch: (key, listener, options) => {
      parseSubscriptionOptions('watch', options)
      if (String(key).endsWith(':*')) return watchPrefix(stateOptions, parsePrefix(key.slice(0, -1)), listener)
      const entry = createWatchedEntry(
        parseKey(key),
        () => readOne(reads, key),
        listener,
        (error) => onError(error, { stage: 'listener', subject: key }),
      )
      const ends = [onChange(key, entry.apply), onGap(() => void entry.refresh()), entry.close]
      void entry.refresh()
      return () => {
        for (const end of ends) end()
      }
    },
  }
}
