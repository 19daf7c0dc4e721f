import { createRealtimeClient } from '@tutti/client'
import { document } from '@tutti/documents/client'
import { until, type BenchDocument } from './bench-document.ts'

/** A document on a client of Tutti. */
export interface TuttiDocument extends BenchDocument {
  /** Everything is in the database. */
  isStored(): boolean
}

/** Opens a document with `@tutti/documents/client`. */
export async function connectTuttiDocument(url: string, id: string): Promise<TuttiDocument> {
  const client = createRealtimeClient({ url, transports: ['websocket'] })
  const open = document(client, id)
  await until(() => !open.current.loading)
  return {
    doc: open.doc,
    text: open.text,
    isSynced: () => open.current.synced,
    isStored: () => open.current.stored,
    disconnect: () => client.connection.disconnect(),
    connect: () => client.connection.connect(),
    close: () => void client.close(),
  }
}
