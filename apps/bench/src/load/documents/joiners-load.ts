import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { connectTuttiDocument } from './tutti-document.ts'
import { until } from './bench-document.ts'
import type { DocumentLoad, DocumentLoadContext } from './document-load.ts'
import { growText } from './large-text.ts'

/** Clients that open one large document at once on the second instance, which has not opened it before. */
export interface JoinersPlan {
  joiners: number
  characters: number
}

export const JOINERS_FIGURES = ['bytesPerJoiner', 'elapsedMs'] as const

/** Bytes that are sent to grow the document at once. */
const GROWTH = 1_000_000

/** Fills the document through the first instance, and connects the joiners to the second one. */
export async function createJoinersLoad({ urls }: DocumentLoadContext, { joiners, characters }: JoinersPlan): Promise<DocumentLoad> {
  const id = 'bench:joiners'
  const author = await connectTuttiDocument(urls[0] ?? '', id)
  for (let length = GROWTH; length < characters + GROWTH; length += GROWTH) {
    growText(author.text, Math.min(length, characters))
    await until(author.isSynced)
  }
  // The second instance reads it from the database.
  await until(author.isStored)
  // One edit that no snapshot contains yet.
  author.text.insert(0, 'pending')
  await until(author.isSynced)
  const clients = Array.from({ length: joiners }, () => createRealtimeClient({ url: urls[1] ?? '', transports: ['websocket'] }))
  await until(() => clients.every(({ internals }) => internals.connection.up))
  return {
    steps: {
      join: async () => {
        const startMs = performance.now()
        const bytes = await Promise.all(clients.map((client) => join(client, id)))
        return { bytesPerJoiner: bytes.reduce((sum, count) => sum + count, 0) / joiners, elapsedMs: performance.now() - startMs }
      },
    },
    close: () => {
      author.close()
      for (const client of clients) void client.close()
    },
  }
}

/** Fetches the document, two parts at a time, and keeps nothing of it: so many documents are too large for one process. */
async function join({ internals: { connection } }: RealtimeClient, id: string): Promise<number> {
  const opened = await new Promise<{ transfer?: { id: string; bytes: number } }>((resolve, reject) =>
    connection.request('document:open', { document: id }, ({ result, error }) => (error ? reject(error) : resolve(result))),
  )
  const { transfer } = opened
  if (transfer === undefined) return 0
  let received = 0
  let next = 0
  const part = (index: number): Promise<void> =>
    new Promise((resolve, reject) =>
      connection.request('document:part', { document: id, transfer: transfer.id, index }, ({ result, error }) => {
        if (error) return reject(error)
        received += result.bytes?.length ?? 0
        resolve()
      }),
    )
  const lane = async (): Promise<void> => {
    while (next * 65_536 < transfer.bytes) await part(next++)
  }
  await Promise.all([lane(), lane()])
  return received
}
