import { RealtimeError, type Entry } from '@tutti/protocol'
import type { EntryReads } from './entry-reads.ts'
import { isTransient } from './transient-error.ts'

/** Keys in one read at most. */
const BATCH = 500

/** A read of one key that is not sent yet: later requests for the key share it. */
interface UnsentRead {
  readonly entry: Promise<Entry>
  resolve(entry: Entry): void
  reject(error: unknown): void
}

/** Reads that connections of this instance share. */
export interface SharedReads {
  /**
   * The entries of these keys, in their order, each no older than the store's at the time of the call. Other callers
   * receive the same objects: they must not be changed.
   */
  read(keys: readonly string[]): Promise<Entry[]>
}

/**
 * Makes reads that are shared until they are sent. A read that was sent before a subscription began may lack a change that
 * was announced before it began, which is not buffered for that subscription: the change would be lost (S2). So the keys
 * of one turn are read together, and a key whose read is under way is read once more for all that request it meanwhile.
 */
export function createSharedReads(store: Pick<EntryReads, 'read'>): SharedReads {
  const unsent = new Map<string, UnsentRead>()
  const underWay = new Set<string>()
  /** Unsent keys that are not under way. */
  const ofThisTurn: string[] = []

  const plan = (key: string): void => {
    if (ofThisTurn.push(key) === 1) queueMicrotask(sendTurn)
  }

  const readOne = (key: string): Promise<Entry> => {
    const existing = unsent.get(key)
    if (existing !== undefined) return existing.entry
    const read = createUnsentRead()
    unsent.set(key, read)
    if (!underWay.has(key)) plan(key)
    return read.entry
  }

  const sendTurn = (): void => {
    const keys = ofThisTurn.splice(0)
    for (let start = 0; start < keys.length; start += BATCH) {
      const reads = new Map<string, UnsentRead>()
      for (const key of keys.slice(start, start + BATCH)) {
        const read = unsent.get(key)
        if (read === undefined) continue
        unsent.delete(key)
        underWay.add(key)
        reads.set(key, read)
      }
      void send(reads)
    }
  }

  const send = async (reads: ReadonlyMap<string, UnsentRead>): Promise<void> => {
    const keys = [...reads.keys()]
    try {
      const entries = await store.read(keys)
      for (const [index, { resolve, reject }] of [...reads.values()].entries()) {
        const entry = entries[index]
        if (entry === undefined) reject(new RealtimeError('INTERNAL'))
        else resolve(entry)
      }
    } catch (error) {
      // A key that cannot be read must not fail the requests for other keys.
      if (reads.size > 1 && !isTransient(error)) return void (await Promise.all([...reads].map((one) => send(new Map([one])))))
      for (const { reject } of reads.values()) reject(error)
    }
    for (const key of keys) {
      underWay.delete(key)
      if (unsent.has(key)) plan(key)
    }
  }

  return { read: (keys) => Promise.all(keys.map(readOne)) }
}

function createUnsentRead(): UnsentRead {
  let resolve: UnsentRead['resolve'] = () => {}
  let reject: UnsentRead['reject'] = () => {}
  const entry = new Promise<Entry>((onEntry, onError) => {
    resolve = onEntry
    reject = onError
  })
  return { entry, resolve, reject }
}
