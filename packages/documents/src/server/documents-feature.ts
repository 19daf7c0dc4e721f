import type { LogPosition } from '@tutti/coordination/logs'
import { createRedisLogs } from '@tutti/coordination/logs'
import { RealtimeError } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'
import type { RealtimePubSub } from '@tutti/pubsub'
import { offsetText, parseOffset, type Connection, type Core, type Feature } from '@tutti/server/internal'
import { createSharedDocumentLogs } from '../log/shared-document-logs.ts'
import { createStoredDocumentLogs } from '../log/stored-document-logs.ts'
import type { DocumentLogs, UpdateRecord } from '../log/document-log.ts'
import type { LiveDocument } from '../live-document.ts'
import { createLiveDocuments, type LiveDocuments } from '../live-documents.ts'
import { createDocumentHandlers, TEXT_BYTES } from './document-handlers.ts'
import { createDocumentAwareness } from './document-awareness.ts'
import { documentRoom, readDocument } from './document-access.ts'
import { createOpenDocuments } from './open-documents.ts'
import { createVersionHandlers } from './document-versions.ts'
import type { DocumentsOptions, DocumentsSettings } from './document-options.ts'
import { createStoreTask, type StoreTask } from './store-task.ts'
import { startPruneTask } from '../store/prune-task.ts'
import { guardStore } from '../store/guarded-store.ts'
import { createTakeOver } from './take-over.ts'
import { createTransfers } from './transfers.ts'
import { textOf } from '../base64.ts'

/** The records of a log are trimmed after they are stored, and not by their number or age. */
const KEPT = { maxRecords: 10_000_000, maxAgeMs: 2_147_483_647 }

/** The channel on which instances report what they have stored. */
const STORED = '$documents'

/** The feature of a server, and its documents in memory. */
export interface DocumentsFeature {
  readonly live: LiveDocuments
  readonly feature: Feature
  readonly failing: StoreTask['failing']
}

/** Makes the documents of one server: their logs, those in memory, and the tasks that store them. */
export function createDocumentsFeature(core: Core, settings: DocumentsSettings): DocumentsFeature {
  const { maxUpdateBytes, maxDocumentBytes, storeIntervalMs, snapshotIntervalMs, retryMs, unloadAfterMs } = settings
  const { fanOut, pubsub } = core
  const handover = core.coordination?.handover
  const report = (error: unknown, subject: string): void => core.onError(error, { stage: 'document', subject })
  const store = guardStore(settings.store, {
    ...{ retryMs: storeIntervalMs, timeoutMs: settings.databaseTimeoutMs },
    onOutage: (error) => report(error, 'the database'),
  })
  const transfers = createTransfers(maxUpdateBytes)

  const logs = logsOf(core, store, report)
  const sendStatus = (live: LiveDocument): void => {
    const stored = offsetText({ epoch: live.position.epoch, offset: live.stored })
    const failing = task.failing.has(live.id) ? { failing: true as const } : {}
    fanOut.emit([documentRoom(live.id)], 'document:status', { document: live.id, stored, ...failing })
  }
  const task = createStoreTask({
    ...{ store, snapshotIntervalMs, retryMs },
    intervalMs: storeIntervalMs,
    onStored: (documents) => {
      for (const live of documents) sendStatus(live)
      const stored = documents.map(({ id, position, stored: offset }) => [id, offsetText({ epoch: position.epoch, offset })])
      pubsub
        ?.publish(STORED, { stored: Object.fromEntries(stored) as Record<string, string> })
        .catch((error: unknown) => report(error, STORED))
    },
    onError: report,
  })
  const deliver = (live: LiveDocument, record: UpdateRecord): void => {
    const { epoch, offset, previous, author, update } = record
    const place = { document: live.id, offset: offsetText({ epoch, offset }), previous: offsetText({ epoch, offset: previous }) }
    const room = documentRoom(live.id)
    // Its author has the update: the place is enough.
    if (author.connection !== '') fanOut.emit([author.connection], 'document:updated', { ...place, update: '' })
    const content = update.length <= TEXT_BYTES ? { ...place, update: textOf(update) } : place
    fanOut.emit([room], 'document:updated', content, author.connection === '' ? [] : [author.connection])
    if (logs.isStored) live.stored = offset
    task.changed(live, logs.isStored || isOwn(author.connection))
    if (logs.isStored) sendStatus(live)
  }
  const own = new Set<string>()
  const isOwn = (connection: string): boolean => own.has(connection)
  const documents = createLiveDocuments({
    ...{ logs, store, unloadAfterMs, seed: settings.seed ?? (() => undefined) },
    onRecord: deliver,
    onSkip: (live) => {
      const offset = offsetText(live.position)
      // Clients with an earlier offset open the document again.
      fanOut.emit([documentRoom(live.id)], 'document:updated', { document: live.id, offset, previous: offset })
    },
    flush: task.flush,
    onUnload: (live) => {
      task.forget(live)
      handover?.end(live.id, () => documents.find(live.id) !== undefined)
    },
    onError: report,
  })
  const stopPruning = startPruneTask({ store, keepUpdatesMs: settings.keepUpdatesMs, onError: (error) => report(error, 'updates') })
  const takeOver = createTakeOver({ documents, flush: task.flush, onError: report })
  const stopTaking = handover?.onTaken(takeOver.take)
  const stopStored = pubsub?.subscribe(STORED, (message) => {
    for (const [id, position] of storedOf(message)) {
      documents.noteStored(id, position)
      const live = documents.find(id)
      if (live !== undefined) sendStatus(live)
    }
  })

  const awareness = createDocumentAwareness({ core, maxAwarenessBytes: settings.maxAwarenessBytes, onError: report })
  const opened = createOpenDocuments(documents)
  const close = (connection: Connection, id: string): void => {
    awareness.leave(connection, id)
    opened.close(connection, id)
  }

  const feature: Feature = {
    name: 'document',
    handlers: [
      ...createDocumentHandlers({ core, documents: opened, transfers, maxUpdateBytes, maxDocumentBytes, close }),
      ...createVersionHandlers({ documents, store, transfers, maxDocumentBytes, maxVersions: settings.maxVersions }),
      awareness.handler,
    ],
    onSlow: awareness.defer,
    onConnect: ({ id }) => void own.add(id),
    onDisconnect: (connection) => {
      own.delete(connection.id)
      transfers.end(connection.id)
      for (const id of opened.namesOf(connection)) close(connection, id)
    },
    holds: (connection) => opened.namesOf(connection).map(readDocument),
    apply: (connection, { target }, verdict) => {
      if ('document' in target && !('allow' in verdict)) close(connection, target.document)
    },
    close: async () => {
      stopStored?.()
      stopTaking?.()
      stopPruning()
      takeOver.close()
      awareness.close()
      await task.close().catch((error: unknown) => report(error, 'close'))
      await documents.close()
      await store.close()
    },
  }
  return { live: documents, feature, failing: task.failing }
}

/** On Redis the instances share logs; alone, the database is the log. */
function logsOf(
  { pubsub, coordination }: Core,
  store: DocumentsOptions['store'],
  report: (error: unknown, subject: string) => void,
): DocumentLogs {
  if (pubsub === undefined) return createStoredDocumentLogs(store, (error) => report(error, 'listener'))
  if (!('link' in pubsub)) {
    throw new RealtimeError('INVALID_OPTIONS', { message: 'The option `documents` requires a `pubsub` that is a RealtimePubSub, or none.' })
  }
  const { link } = pubsub as RealtimePubSub
  return createSharedDocumentLogs(
    (document) => createRedisLogs({ ...KEPT, link, kind: 'document', pattern: document, onError: (error) => report(error, document) }),
    async (document) => coordination?.handover.begin(document),
  )
}

/** What another instance reports. */
function storedOf(text: string): [id: string, position: LogPosition][] {
  const message: unknown = JSON.parse(text)
  if (typeof message !== 'object' || message === null || !('stored' in message) || !isJsonObject(message.stored)) return []
  return Object.entries(message.stored).flatMap(([id, offset]) => (typeof offset === 'string' ? [[id, parseOffset(offset)]] : []))
}
