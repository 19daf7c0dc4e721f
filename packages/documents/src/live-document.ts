import type { LogPosition } from '@tutti/coordination/logs'
import { RealtimeError } from '@tutti/protocol'
import { createReplica, seedUpdate, type Replica } from './crdt.ts'
import { createKeptRecords } from './kept-records.ts'
import type { DocumentLog, UpdateAuthor, UpdateNotice, UpdateRecord } from './log/document-log.ts'
import { createPreparedSnapshot, type PreparedSnapshot } from './prepared-snapshot.ts'
import type { DocumentStore } from './store/document-store.ts'

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
  /** The snapshot for clients that open the document. */
  readonly snapshot: PreparedSnapshot
  /** About the bytes of the document: what was read and appended since. */
  readonly size: number
  /** Bytes of the snapshot in the database when the document was opened; 0 without one. */
  readonly loadedBytes: number
  /** Settles when the replica contains everything that was in the database and in the log. */
  readonly opened: Promise<void>
  /** The updates after a position, merged; `undefined` where they are not in memory. */
  since(position: LogPosition): Uint8Array | undefined
  /** Reads the updates after a position from the database, where they are not in memory. Never rejects. */
  recall(position: LogPosition): Promise<void>
  /** The records after an offset, up to the position. */
  recordsAfter(offset: number): readonly UpdateRecord[]
  /** Settles when the update is in the log. */
  append(update: Uint8Array, author: UpdateAuthor): Promise<LogPosition>
  /** Removes what the database has from the log. */
  trim(): Promise<void>
  /** Reads what was appended; where this fails, again after a while. Rejects with the first failure. */
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
  /** Updates have reached the replica from the database, without their records. */
  onSkip: () => void
  onError: (error: unknown) => void
}

/** Opens a document: the snapshot and updates of the database, then the log. */
export function openLiveDocument({ id, log, store, seed, onRecord, onSkip, onError }: LiveDocumentOptions): LiveDocument {
  const replica = createReplica()
  const snapshot = createPreparedSnapshot()
  let position: LogPosition = { epoch: 0, offset: 0 }
  let stored = 0
  const records = createKeptRecords()
  let recalling: Promise<void> | undefined
  /** Updates after offsets up to this one were not in the database either. */
  let forgotten = -1
  let reading: Promise<void> | undefined
  let isBehind = false
  let isOpen = false
  let mustStoreAll = false
  let size = 0
  let loadedBytes = 0
  let isClosed = false
  let retry: NodeJS.Timeout | undefined

  const advance = (record: UpdateRecord): void => {
    position = { epoch: record.epoch, offset: record.offset }
    try {
      replica.apply(record.update)
    } catch (error) {
      onError(error)
    }
    size += record.update.length
    records.add(record, stored)
    onRecord(record)
  }
  const readOn = async (): Promise<void> => {
    let isAtEnd = false
    while (isBehind || !isAtEnd) {
      isBehind = false
      const page = await log.read(position)
      if (page.hasGap) {
        // The replica may lack updates: those that the database has since, and those that clients send when they open it again.
        records.clear()
        snapshot.clear()
        mustStoreAll = true
        const found = await store.load(id)
        if (found !== undefined) {
          stored = found.offset
          for (const update of [found.snapshot, ...found.updates]) if (update !== undefined) replica.apply(update)
        }
        position = { epoch: page.epoch, offset: page.from }
        onSkip()
      }
      for (const record of page.records) advance(record)
      isAtEnd = position.offset >= page.last
    }
  }
  const check = (): Promise<void> => {
    isBehind = true
    reading ??= readOn()
      .catch((error: unknown) => {
        // What was appended meanwhile is announced once.
        if (isOpen) checkLater()
        throw error
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  const checkLater = (): void => {
    if (isClosed) return
    clearTimeout(retry)
    retry = setTimeout(checkSoon, RETRY_MS)
    retry.unref()
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
  const checkSoon = (): void => {
    check().catch((error: unknown) => {
      if (!isClosed) onError(error)
    })
  }
  const subscription = log.onAppend(receive)
  const stopGap = log.onGap(() => checkSoon())

  /** Creates the document in the database, unless another instance does. Returns when it was created. */
  const create = async (): Promise<Date> => {
    await store.create({ id })
    const created = await store.load(id)
    if (created !== undefined) return created.createdAt
    throw new RealtimeError('UNAVAILABLE', { message: `The document ${id} was removed while it was opened.` })
  }
  const open = async (): Promise<void> => {
    await subscription.ready
    const [found, head] = await Promise.all([store.load(id), log.head()])
    stored = found?.offset ?? 0
    loadedBytes = found?.snapshot?.length ?? 0
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
    const seeded = await log.append(seedUpdate(text, found?.createdAt ?? (await create())), { user: '', connection: '' })
    if (position.offset < seeded.offset) await check()
  }
  const recall = async ({ epoch, offset }: LogPosition): Promise<void> => {
    const isKnown = (): boolean =>
      epoch !== position.epoch || offset > position.offset || offset <= forgotten || records.reachBack(offset, position.offset)
    // Clients that reconnect together often lack the same.
    while (recalling !== undefined && !isKnown()) await recalling
    if (isKnown()) return
    recalling = readBack(offset).finally(() => {
      recalling = undefined
    })
    await recalling
  }
  const readBack = async (offset: number): Promise<void> => {
    try {
      const older = await store.updatesAfter(id, offset, records.freeBytes)
      const author = { user: '', connection: '' }
      const rows = older.map(({ bytes, ...place }) => ({ ...place, epoch: position.epoch, author, update: bytes }))
      records.prepend(rows, position.offset)
      if (!records.reachBack(offset, position.offset)) forgotten = Math.max(forgotten, offset)
    } catch {
      // The client receives what its state vector lacks.
    }
  }
  const opened = open()
  opened.catch(() => {})

  return {
    id,
    replica,
    snapshot,
    opened,
    get size() {
      return size
    },
    get loadedBytes() {
      return loadedBytes
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
      return position.offset > stored && (mustStoreAll || records.after(stored).length > 0)
    },
    get mustStoreAll() {
      return mustStoreAll
    },
    set mustStoreAll(all) {
      mustStoreAll = all
    },
    since: ({ epoch, offset }) => (epoch === position.epoch ? records.since(offset, position.offset) : undefined),
    recall,
    recordsAfter: records.after,
    append: (update, author) => log.append(update, author),
    trim: () => log.trim(stored),
    check,
    close: async () => {
      isClosed = true
      clearTimeout(retry)
      snapshot.clear()
      subscription()
      stopGap()
      await log.close()
      replica.destroy()
    },
  }
}
