import type { LogPosition } from '@tutti/coordination/logs'
import { openLiveDocument, type LiveDocument, type LiveDocumentOptions } from './live-document.ts'
import type { DocumentLogs, UpdateRecord } from './log/document-log.ts'
import type { DocumentStore } from './store/document-store.ts'

/** The documents that this instance has in memory. */
export interface LiveDocuments {
  /** Settles with the document when it is complete. It stays in memory until each hold is released. */
  hold(id: string): Promise<LiveDocument>
  /** Ends one hold. Without any, the document leaves memory after `unloadAfterMs`, when it is stored. */
  release(id: string): void
  find(id: string): LiveDocument | undefined
  /** Another instance has stored the document up to an offset. */
  noteStored(id: string, position: LogPosition): void
  close(): Promise<void>
}

/** What they need. */
export interface LiveDocumentsOptions {
  logs: DocumentLogs
  store: DocumentStore
  unloadAfterMs: number
  seed: LiveDocumentOptions['seed']
  /** Runs for each update that reached a replica, in the order of its log. */
  onRecord: (document: LiveDocument, record: UpdateRecord) => void
  /** Updates have reached a replica from the database, without their records. */
  onSkip: (document: LiveDocument) => void
  /** Stores the document before it leaves memory (D6). Never rejects. */
  flush: (document: LiveDocument) => Promise<void>
  /** The document leaves memory, and is stored. */
  onUnload: (document: LiveDocument) => void
  onError: (error: unknown, document: string) => void
}

interface Held {
  readonly live: LiveDocument
  holds: number
  timer: NodeJS.Timeout | undefined
}

/** Makes the set of one instance. */
export function createLiveDocuments(options: LiveDocumentsOptions): LiveDocuments {
  const { logs, store, unloadAfterMs, seed, onRecord, onSkip, flush, onUnload, onError } = options
  const held = new Map<string, Held>()

  const open = (id: string): Held => {
    const live: LiveDocument = openLiveDocument({
      ...{ id, store, seed },
      log: logs.open(id),
      onRecord: (record) => onRecord(live, record),
      onSkip: () => onSkip(live),
      onError: (error) => onError(error, id),
    })
    return { live, holds: 0, timer: undefined }
  }
  const unload = async (id: string, own: Held): Promise<void> => {
    await flush(own.live)
    if (own.holds > 0 || held.get(id) !== own) return
    // What is not stored stays in memory, and is tried again.
    if (own.live.hasUnstored) return wait(id, own)
    held.delete(id)
    onUnload(own.live)
    await own.live.close()
  }
  const wait = (id: string, own: Held): void => {
    own.timer = setTimeout(() => void unload(id, own), unloadAfterMs)
    own.timer.unref()
  }
  const release = (id: string): void => {
    const own = held.get(id)
    if (own === undefined) return
    own.holds -= 1
    if (own.holds === 0) wait(id, own)
  }

  return {
    hold: async (id) => {
      const own = held.get(id) ?? open(id)
      held.set(id, own)
      own.holds += 1
      clearTimeout(own.timer)
      try {
        await own.live.opened
        return own.live
      } catch (error) {
        own.holds -= 1
        // The next one opens it again.
        if (held.get(id) === own) held.delete(id)
        if (own.holds === 0) await own.live.close()
        throw error
      }
    },
    release,
    find: (id) => held.get(id)?.live,
    noteStored: (id, { epoch, offset }) => {
      const live = held.get(id)?.live
      if (live !== undefined && live.position.epoch === epoch) live.stored = Math.max(live.stored, offset)
    },
    close: async () => {
      const all = [...held.values()]
      held.clear()
      for (const { timer, live } of all) {
        clearTimeout(timer)
        if (!live.hasUnstored) onUnload(live)
      }
      await Promise.all(all.map(({ live }) => live.close()))
    },
  }
}
