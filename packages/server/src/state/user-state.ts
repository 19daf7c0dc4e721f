import { parseKey, type Entry, type RealtimeError } from '@tutti/protocol'
import { neverThere } from '@tutti/protocol/internal'
import type { UserLink } from '../as-user/user-link.ts'
import type { ServerErrorListener } from '../feature.ts'
import { parseSubscriptionOptions } from '../subscription-options.ts'
import type { ReadHandlers } from './read-handlers.ts'
import type { ServerState } from './server-state.ts'
import { parseIncrementOptions, parseRemoveOptions, parseSetOptions } from './write-options.ts'
import type { WriteHandlers } from './write-handlers.ts'
import { createWatchedEntry } from './watched-entry.ts'

/** The handlers behind the state of a user. */
export type StateHandlers = WriteHandlers & Pick<ReadHandlers, 'read' | 'subscribe'>

/** `realtime.as(user).state`: each call is the message that the user's own client would send. `maxKeys`: keys in one message. */
export function createUserState(link: UserLink, handlers: StateHandlers, maxKeys: number, onError: ServerErrorListener): ServerState {
  const read = async (keys: readonly string[]): Promise<Entry[]> => {
    const entries: Entry[] = []
    for (let start = 0; start < keys.length; start += maxKeys) {
      const batch = keys.slice(start, start + maxKeys)
      entries.push(...(await link.send(handlers.read, { keys: batch.map((key) => ({ key })) })).entries)
    }
    return entries
  }
  return {
    read,
    get: async (key) => entryOf(await read([key]), key),
    list: async (prefix, after) => {
      const page = await link.send(handlers.read, { prefix, after })
      return page.after === undefined ? { entries: page.entries } : { entries: page.entries, after: page.after }
    },
    set: async (key, value, options) => versionOf(await link.send(handlers.set, { key, value, ...parseSetOptions(options) })),
    remove: async (key, options) => versionOf(await link.send(handlers.remove, { key, ...parseRemoveOptions(options) })),
    increment: async (key, by = 1, options) => {
      const { version, value } = await link.send(handlers.increment, { key, by, ...parseIncrementOptions(options) })
      return { version, value }
    },
    patch: async (key, patch) => {
      const { version, base } = await link.send(handlers.patch, { key, patch })
      return { version, base }
    },
    watch: (key, listener, options) => {
      const { onEnd = (error: RealtimeError) => onError(error, { stage: 'watch', subject: key }) } = parseSubscriptionOptions(
        'watch',
        options,
      )
      parseKey(key)
      const subscription = link.subscribe(
        {
          // What takes a version back is read again, like a patch without its base.
          'storage:updated': (update) => void (update.reset === true ? entry.refresh() : entry.apply(update)),
        },
        onEnd,
      )
      let handler = handlers.subscribe
      const entry = createWatchedEntry(
        key,
        async () => {
          try {
            const { entries } = await subscription.send(handler, { keys: [{ key }] })
            handler = handlers.read
            // Other subscribers share the entry, and the listener may change what it receives.
            return structuredClone(entryOf(entries, key))
          } catch (error) {
            // Without the entry the watch would be behind, and nothing would say so.
            entry.close()
            subscription.end(error)
            throw error
          }
        },
        (entry) => (subscription.isOpen ? listener(entry) : undefined),
        (error) => {
          if (subscription.isOpen) onError(error, { stage: 'listener', subject: key })
        },
      )
      if (subscription.isOpen) void entry.refresh()
      return () => subscription.close()
    },
  }
}

const entryOf = ([entry]: readonly Entry[], key: string): Entry => entry ?? neverThere(key)

/** Nothing else of a reply is part of the result. */
const versionOf = ({ version }: { version: number }): { version: number } => ({ version })
