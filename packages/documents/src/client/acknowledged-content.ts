import * as Y from 'yjs'
import type { OwnUpdate } from './update-queue.ts'

/** How much of the content that a server had acknowledged it still has. */
export type KnownContent = 'all' | 'some' | 'none'

/**
 * Compares a document with the state vector of a server. `queued` are the edits in the document that no server has acknowledged; the
 * server had everything else.
 */
export function acknowledgedContent(doc: Y.Doc, queued: readonly OwnUpdate[], stateVector: Uint8Array): KnownContent {
  const clocks = Y.decodeStateVector(Y.encodeStateVector(doc))
  for (const { bytes } of queued) {
    for (const [client, clock] of Y.parseUpdateMeta(bytes).from) clocks.set(client, Math.min(clock, clocks.get(client) ?? 0))
  }
  const server = Y.decodeStateVector(stateVector)
  const acknowledged = [...clocks].filter(([, clock]) => clock > 0)
  if (acknowledged.every(([client, clock]) => (server.get(client) ?? 0) >= clock)) return 'all'
  return acknowledged.some(([client]) => server.has(client)) ? 'some' : 'none'
}

/** The edits in the document that a server with this state vector lacks; it may have deletions among them. */
export function lackingContent(doc: Y.Doc, stateVector: Uint8Array): Uint8Array | undefined {
  const missing = Y.encodeStateAsUpdate(doc, stateVector)
  const { structs, ds } = Y.decodeUpdate(missing)
  return structs.length > 0 || ds.clients.size > 0 ? missing : undefined
}

/** A server with this state vector has no content. */
export const isEmptyVector = (stateVector: Uint8Array): boolean => Y.decodeStateVector(stateVector).size === 0
