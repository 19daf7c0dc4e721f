import type { LogRecord, Logs } from '@tutti/coordination/logs'
import { bytesOf, textOf } from '../base64.ts'
import type { DocumentLogs, UpdateAuthor, UpdateRecord } from './document-log.ts'

/** Makes the logs of one document: those of its name alone, so that an instance receives the notifications of no other one. */
export type CreateLogs = (document: string) => Logs

/**
 * Logs of documents that the instances of a cluster share. A record is the update as base64, as JSON. `beforeAppend` settles when
 * another instance would store the document where this one dies.
 */
export const createSharedDocumentLogs = (createLogs: CreateLogs, beforeAppend: (document: string) => Promise<void>): DocumentLogs => ({
  isStored: false,
  open: (document) => {
    const logs = createLogs(document)
    return {
      head: () => logs.head(document),
      append: async (update, { user, connection }) => {
        await beforeAppend(document)
        return logs.append(document, { json: `"${textOf(update)}"`, author: `${connection} ${user}`, includeSelf: true })
      },
      read: async (after) => {
        const { records, ...page } = await logs.read(document, after)
        return { ...page, records: records.map((record) => recordOf(record, page.epoch)) }
      },
      trim: async (upTo) => void (await logs.trim(document, upTo)),
      onAppend: (listener) =>
        logs.onAppend(({ epoch, offset, previous, author, json }) => {
          const update = json === undefined ? undefined : updateOf(json)
          listener({ epoch, offset, previous, author: authorOf(author), update })
        }),
      onGap: (listener) => logs.onGap(listener),
      close: () => logs.close(),
    }
  },
})

const recordOf = ({ json, offset, previous, author }: LogRecord, epoch: number): UpdateRecord => ({
  ...{ epoch, offset, previous },
  author: authorOf(author),
  update: updateOf(json),
})

const updateOf = (json: string): Uint8Array => bytesOf(json.slice(1, -1))

/** `<connection> <user>`. */
function authorOf(author = ' '): UpdateAuthor {
  const end = author.indexOf(' ')
  return { connection: author.slice(0, end), user: author.slice(end + 1) }
}
