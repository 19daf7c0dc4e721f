import { RealtimeError, parseKey } from '@tutti/protocol'
import type { RedisLink, ScriptReply } from '@tutti/pubsub/redis'
import type { StoredEntry } from '../contract.ts'
import { wrongType } from '../store-errors.ts'
import type { StoreSettings } from '../store-options.ts'
import type { KeyNames } from './key-names.ts'
import { entryOf, rowOf, textOf } from './reply.ts'
import { StoreRun, type StoreScript } from './store-scripts.ts'
import { messageHead } from './watch-message.ts'

/** Dependencies of the reads. */
export interface EntryReadsOptions {
  link: RedisLink
  names: KeyNames
  settings: StoreSettings
  script: StoreScript
}

/** The reason for a read: see the script. */
export type ReadReason = '' | 'touch' | 'list'

type Resolve<Result> = (result: Result) => void
type Reject = (error: unknown) => void

/**
 * Reads of entries. Reads started in one turn are sent together. They settle by callbacks in the loop over the replies of
 * Redis, like writes, so that the reads and writes of one connection settle in the order in which Redis executed them.
 */
export interface EntryReads {
  readOne(key: string, reason?: ReadReason): Promise<StoredEntry>
  /** The entries of these keys, in their order. */
  readMany(keys: readonly string[], resolve: Resolve<StoredEntry[]>, reject: Reject): void
  /** The entries that do not have their known version. */
  readChanged(known: ReadonlyMap<string, number>, resolve: Resolve<StoredEntry[]>, reject: Reject): void
}

/** Creates the reads of a store. */
export function createEntryReads({ link, names, settings, script }: EntryReadsOptions): EntryReads {
  /** Reads one entry: `undefined` if it has the known version. */
  const start = (key: string, reason: ReadReason, known: number | '', resolve: Resolve<StoredEntry | undefined>, reject: Reject): void => {
    const keys = [names.value(parseKey(key)), names.state(key)]
    const args = [messageHead(key, undefined), reason, known]
    const replied = (reply: ScriptReply): void => {
      let entry: StoredEntry | undefined
      try {
        entry = entryOfReply(key, reply)
      } catch (error) {
        return reject(error)
      }
      resolve(entry)
    }
    script(new StoreRun(key, keys, args, link.now() + settings.writeTimeoutMs), replied, reject)
  }

  const entryOfReply = (key: string, reply: ScriptReply): StoredEntry | undefined => {
    const [verdict, version, text, expiry, time] = rowOf(reply)
    if (verdict === 'type') throw wrongType()
    if (verdict === 'same') return undefined
    // Expiry timers use this clock for hours, during which clocks drift.
    link.adjustClock(Number(time))
    const entry = entryOf(key, Number(version), textOf(text))
    return expiry === '' ? entry : { ...entry, expiresAt: Number(expiry) }
  }

  const readAll = (known: Iterable<[key: string, version: number | '']>, resolve: Resolve<StoredEntry[]>, reject: Reject): void => {
    const entries: (StoredEntry | undefined)[] = []
    let missing = 0
    for (const [key, version] of known) {
      const place = missing
      missing += 1
      const received = (entry: StoredEntry | undefined): void => {
        entries[place] = entry
        missing -= 1
        if (missing === 0) resolve(entries.filter((one) => one !== undefined))
      }
      start(key, '', version, received, reject)
    }
    if (missing === 0) resolve([])
  }

  return {
    readMany: (keys, resolve, reject) =>
      readAll(
        keys.map((key) => [key, '']),
        resolve,
        reject,
      ),
    readChanged: readAll,
    readOne: (key, reason = '') =>
      new Promise((resolve, reject) => {
        const received = (entry: StoredEntry | undefined): void => {
          if (entry === undefined) reject(new RealtimeError('INTERNAL', { message: `The store returned no entry for ${key}.` }))
          else resolve(entry)
        }
        start(key, reason, '', received, reject)
      }),
  }
}
