import type { LogPosition } from '@tutti/coordination/logs'
import { createReplica, mergeUpdates, seedUpdate, type Replica } from './crdt.ts'
import type { DocumentLog, UpdateAuthor, UpdateNotice, UpdateRecord } from './log/document-log.ts'
import type { DocumentStore } from './store/document-store.ts'

/** Records that are kept in memory for clients that reconnect: so many, and bytes. */
const KEPT_RECORDS = 10_000
const KEPT_BYTES = 4_000_000

/** Time until the log is read again after a failure, milliseconds. */
const RETRY_MS = 1_000

/** A document as this instance has it: a replica that follows the log. */
export interface LiveDocument {
  readonly id: string
  /** What the replica contains of the log. Known once `opened` has settled. */
  readonly position: LogPosition
  /** Offset up to which the database has the document. */
  stored: number
  /** Updates may be in the replica and not in `recordsAfter`: the next batch is the whole document. */
  mustStoreAll: boolean
  /** The database lacks updates that are in the log. */
  readonly hasUnstored: boolean
  readonly replica: Replica
  /** About the bytes of the document: what was read and appended since. */
  readonly size: number
  /** Settles when the replica contains everything that was in the database and in the log. */
  readonly opened: Promise<void>
  /** The updates after a position, merged; `undefined` where they are no longer known. */
  since(position: LogPosition): Uint8Array | undefined
  /** The records after an offset, up to the position. */
  recordsAfter(offset: number): readonly UpdateRecord[]
  /** Settles when the update is in the log. */
  append(update: Uint8Array, author: UpdateAuthor): Promise<LogPosition>
  /** Removes what the database has from the log. */
  trim(): Promise<void>
  /** Reads what was appended. */
  check(): Promise<void>
  close(): Promise<void>
}

/** What a live document needs. */
export interface LiveDocumentOptions {
  id: string
  log: DocumentLog
  store: DocumentStore
  /** The text of a document that has no content yet; without one, it begins empty. */
  seed: (id: string) => string | undefined | Promise<string | undefined>
  /** Runs for each update that reached the replica, in the order of the log. */
  onRecord: (record: UpdateRecord) => void
  onError: (error: unknown) => void
}

/** Opens a document: the snapshot and updates of the database, then the log. */
export function openLiveDocument({ id, log, store, seed, onRecord, onError }: LiveDocumentOptions): LiveDocument {
  const replica = createReplica()
  let position: LogPosition = { epoch: 0, offset: 0 }
  let stored = 0
  let records: UpdateRecord[] = []
  let bytes = 0
  let reading: Promise<void> | undefined
  let isBehind = false
  let isOpen = false
  let mustStoreAll = false
  let size = 0
  let isClosed = false
  let retry: NodeJS.Timeout | undefined

  const keep = (record: UpdateRecord): void => {
    records.push(record)
    bytes += record.update.length
    if (records.length <= KEPT_RECORDS && bytes <= KEPT_BYTES) return
    // What is not stored yet is never dropped: the store task reads it here.
    const first = records.findIndex(({ offset }) => offset > stored)
    records = records.slice(Math.min(first === -1 ? records.length : first, Math.ceil(records.length / 2)))
    bytes = records.reduce((sum, { update }) => sum + update.length, 0)
  }
  const advance = (record: UpdateRecord): void => {
    position = { epoch: record.epoch, offset: record.offset }
    try {
      replica.apply(record.update)
    } catch (error) {
      onError(error)
    }
    size += record.update.length
    keep(record)
    onRecord(record)
  }
  const readOn = async (): Promise<void> => {
    let isAtEnd = false
    while (isBehind || !isAtEnd) {
      isBehind = false
      const page = await log.read(position)
      if (page.hasGap) {
        // The replica may lack updates: those that the database has since, and those that clients send when they open it again.
        records = []
        mustStoreAll = true
        const found = await store.load(id)
        if (found !== undefined) {
          stored = found.offset
          for (const update of [found.snapshot, ...found.updates]) if (update !== undefined) replica.apply(update)
        }
        position = { epoch: page.epoch, offset: page.from }
      }
      for (const record of page.records) advance(record)
      isAtEnd = position.offset >= page.last
    }
  }
  const check = (): Promise<void> => {
    isBehind = true
    reading ??= readOn().finally(() => {
      reading = undefined
    })
    return reading
  }
  const receive = (notice: UpdateNotice): void => {
    const { epoch, offset, previous, update } = notice
    if (!isOpen || reading !== undefined) {
      isBehind = true
      return
    }
    if (epoch === position.epoch && offset <= position.offset) return
    if (epoch === position.epoch && previous === position.offset && update !== undefined) return advance({ ...notice, update })
    checkSoon()
  }
  /** Reads what was appended; where the database or the log is not available, again after a while. */
  const checkSoon = (): void => {
    check().catch((error: unknown) => {
      if (isClosed) return
      onError(error)
      retry = setTimeout(checkSoon, RETRY_MS)
      retry.unref()
    })
  }
  const subscription = log.onAppend(receive)
  const stopGap = log.onGap(() => checkSoon())

  const open = async (): Promise<void> => {
    await subscription.ready
    const [found, head] = await Promise.all([store.load(id), log.head()])
    stored = found?.offset ?? 0
    for (const update of [found?.snapshot, ...(found?.updates ?? [])]) {
      if (update === undefined) continue
      size += update.length
      replica.apply(update)
    }
    // Offsets of this lifetime of the log are greater than its start, and than those of earlier ones.
    position = { epoch: head.epoch, offset: Math.max(head.epoch, stored) }
    if (head.offset > position.offset) await check()
    isOpen = true
    if (isBehind) await check()
    const text = replica.isEmpty ? await seed(id) : undefined
    if (text === undefined || text === '') return
    const seeded = await log.append(seedUpdate(text), { user: '', connection: '' })
    if (position.offset < seeded.offset) await check()
  }
  const opened = open()
  opened.catch(() => {})

  return {
    id,
    replica,
    opened,
    get size() {
      return size
    },
    get position() {
      return position
    },
    get stored() {
      return stored
    },
    set stored(offset) {
      stored = offset
    },
    get hasUnstored() {
      return position.offset > stored && (mustStoreAll || records.some((record) => record.offset > stored))
    },
    get mustStoreAll() {
      return mustStoreAll
    },
    set mustStoreAll(all) {
      mustStoreAll = all
    },
    since: ({ epoch, offset }) => {
      if (epoch !== position.epoch) return undefined
      const after = records.filter((record) => record.offset > offset)
      if (after.length === 0) return offset === position.offset ? mergeUpdates([]) : undefined
      return after[0]?.previous === offset ? mergeUpdates(after.map(({ update }) => update)) : undefined
    },
    recordsAfter: (offset) => records.filter((record) => record.offset > offset),
    append: (update, author) => log.append(update, author),
    trim: () => log.trim(stored),
    check,
    close: async () => {
      isClosed = true
      clearTimeout(retry)
      subscription()
      stopGap()
      await log.close()
      replica.destroy()
    },
  }
}
