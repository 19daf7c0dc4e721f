import type { Entry } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import { SharedReply } from '../connection/shared-reply.ts'
import { noEntry, type EntryReads } from './entry-reads.ts'
import { isTransient } from './transient-error.ts'

/** Keys in one read at most. */
const BATCH = 500

/** Entries that were read together. */
export interface EntryList {
  readonly entries: Entry[]
  /** The reply with all of these entries and nothing else. */
  readonly reply: SharedReply
}

/** Reads that connections of this instance share. */
export interface SharedReads {
  /**
   * The entries of these keys, in their order, each no older than the store's at the time of the call. Other callers
   * receive the same objects: they must not be changed.
   */
  read(keys: readonly string[]): Promise<Entry[]>
  /** The same. Requests for equal lists of keys in one read receive the same list. The list of keys must not be changed. */
  readList(keys: readonly string[]): Promise<EntryList>
}

/** Keys that are read together. Until the read is sent, later requests for one of them share it. */
interface KeyBatch {
  readonly keys: Set<string>
  /** What was read, by key. */
  readonly entries: Map<string, Entry>
  /** Keys that could not be read, and why. */
  readonly errors: Map<string, unknown>
  /** Settles when the read has ended, successfully or not. */
  readonly ended: Promise<void>
  end(): void
  /** What is requested of these keys while they are read: it is read when this read has ended. */
  next: KeyBatch | undefined
  /** The list that was last made of it, and its keys: clients of one application mostly request the same keys. */
  last: { readonly keys: readonly string[]; readonly list: EntryList } | undefined
}

/**
 * Makes reads that are shared until they are sent. A read that was sent before a subscription began may lack a change that
 * was announced before it began, which is not buffered for that subscription: the change would be lost (S2). So the keys
 * of one turn are read together, and a key whose read is under way is read once more for all that request it meanwhile.
 *
 * A request waits for batches and not for keys: a promise for each key of each connection would cost more than all else.
 */
export function createSharedReads(store: Pick<EntryReads, 'read'>): SharedReads {
  /** By key: the batch that is not sent yet. */
  const unsent = new Map<string, KeyBatch>()
  const underWay = new Map<string, KeyBatch>()
  /** The last batch of this turn. */
  let ofThisTurn: KeyBatch | undefined
  /** The list that was requested last, as long as all of its keys are in one batch that is not sent yet. */
  let latest: { readonly keys: readonly string[]; readonly batch: KeyBatch } | undefined

  const add = (batch: KeyBatch, key: string): KeyBatch => {
    batch.keys.add(key)
    unsent.set(key, batch)
    return batch
  }

  const planned = (): KeyBatch => {
    if (ofThisTurn !== undefined && ofThisTurn.keys.size < BATCH) return ofThisTurn
    const batch = createKeyBatch()
    ofThisTurn = batch
    queueMicrotask(() => {
      if (ofThisTurn === batch) ofThisTurn = undefined
      void send(batch)
    })
    return batch
  }

  const batchOf = (key: string): KeyBatch => {
    const existing = unsent.get(key)
    if (existing !== undefined) return existing
    const current = underWay.get(key)
    return add(current === undefined ? planned() : (current.next ??= createKeyBatch()), key)
  }

  /** The batch of all these keys, or that of each of them. */
  const batchesOf = (keys: readonly string[]): KeyBatch | readonly KeyBatch[] => {
    if (latest?.keys === keys) return latest.batch
    const batches = keys.map(batchOf)
    const [first] = batches
    if (first === undefined || batches.some((batch) => batch !== first)) return batches
    latest = { keys, batch: first }
    return first
  }

  const send = async (batch: KeyBatch): Promise<void> => {
    if (latest?.batch === batch) latest = undefined
    const keys = [...batch.keys]
    for (const key of keys) {
      unsent.delete(key)
      underWay.set(key, batch)
    }
    await readInto(batch, keys)
    for (const key of keys) underWay.delete(key)
    batch.end()
    if (batch.next !== undefined) await send(batch.next)
  }

  const readInto = async ({ entries, errors }: Pick<KeyBatch, 'entries' | 'errors'>, keys: readonly string[]): Promise<void> => {
    try {
      const read = await store.read(keys)
      for (const [index, key] of keys.entries()) {
        const entry = read[index]
        if (entry === undefined) errors.set(key, noEntry(key))
        else entries.set(key, entry)
      }
    } catch (error) {
      // A key that cannot be read must not fail the requests for other keys.
      if (keys.length > 1 && !isTransient(error)) await Promise.all(keys.map((key) => readInto({ entries, errors }, [key])))
      else for (const key of keys) errors.set(key, error)
    }
  }

  const readList = async (keys: readonly string[]): Promise<EntryList> => {
    const batches = batchesOf(keys)
    if (isSeveral(batches)) {
      for (const { ended } of new Set(batches)) await ended
      return { entries: keys.map((key, place) => entryOf(key, batches[place])), reply: new SharedReply() }
    }
    await batches.ended
    if (batches.last !== undefined && isSameList(batches.last.keys, keys)) return batches.last.list
    const list = { entries: keys.map((key) => entryOf(key, batches)), reply: new SharedReply() }
    batches.last = { keys, list }
    return list
  }

  return { readList, read: async (keys) => (await readList(keys)).entries }
}

const isSeveral = (batches: KeyBatch | readonly KeyBatch[]): batches is readonly KeyBatch[] => Array.isArray(batches)

const isSameList = (one: readonly string[], other: readonly string[]): boolean =>
  one === other || (one.length === other.length && one.every((key, place) => key === other[place]))

/** The entry that was read for the key, or throws why it could not be. */
function entryOf(key: string, batch: KeyBatch | undefined): Entry {
  const entry = batch?.entries.get(key)
  if (entry === undefined) throw toError(batch?.errors.get(key))
  return entry
}

function createKeyBatch(): KeyBatch {
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => (end = resolve))
  return { keys: new Set(), entries: new Map(), errors: new Map(), ended, end, next: undefined, last: undefined }
}
