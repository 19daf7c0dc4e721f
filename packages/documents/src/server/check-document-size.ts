import { RealtimeError } from '@tutti/protocol'
import type { LiveDocument } from '../live-document.ts'

/** Throws `TOO_LARGE` where a document would be too large with one more update. */
export function checkDocumentSize(live: LiveDocument, update: Uint8Array, maxDocumentBytes: number): void {
  if (live.size + update.length <= maxDocumentBytes) return
  throw new RealtimeError('TOO_LARGE', { message: `The document ${live.id} would exceed ${maxDocumentBytes} bytes (maxDocumentBytes).` })
}
