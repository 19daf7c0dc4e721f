import type { DocumentServer } from '../../sides/documents/document-side.ts'
import { connectHocuspocusDocument } from './hocuspocus-document.ts'
import { connectTuttiDocument } from './tutti-document.ts'
import type { BenchDocument } from './bench-document.ts'

/** Clients of documents and what they can do. */
export interface DocumentLoad {
  /** Called by name from the process that measures. */
  readonly steps: Readonly<Record<string, (...args: never[]) => unknown>>
  close(): void
}

/** Where a load connects to. */
export interface DocumentLoadContext {
  readonly server: DocumentServer
  readonly urls: readonly string[]
}

const CONNECT = { tutti: connectTuttiDocument, hocuspocus: connectHocuspocusDocument } as const

/** Opens a document on the instance at an index, or at another address. Settles when it has its content. */
export const openDocument = ({ server, urls }: DocumentLoadContext, index: number, id: string, url?: string): Promise<BenchDocument> =>
  CONNECT[server](url ?? urls[index % urls.length] ?? '', id)
