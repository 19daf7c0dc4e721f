import type { ClientInternals } from '@tutti/client/internal'
import { createRetry } from '@tutti/client/internal'
import type { AwarenessState, Notices } from '@tutti/protocol'
import { mayRepeat } from '@tutti/protocol/internal'
import { createEncoder, toUint8Array, writeVarString, writeVarUint } from 'lib0/encoding'
import { applyAwarenessUpdate, Awareness, removeAwarenessStates } from 'y-protocols/awareness'
import type { Doc } from 'yjs'

/** Changes of the own state within this time are one message, milliseconds. */
const TICK_MS = 50

/** The origin of changes that come from the server. */
const REMOTE = Symbol('remote')

/** What this client shows in a document, and what others show. */
export interface DocumentAwareness {
  readonly awareness: Awareness
  /** The document is open: shows the own state, and receives those of others. */
  open(): void
  /** The connection is lost: others are not seen any more. */
  lose(): void
  changed(notice: Notices['document:awareness']): void
  dispose(): void
}

/** Makes the awareness of a document of Yjs. */
export function createDocumentAwareness(internals: ClientInternals, id: string, doc: Doc): DocumentAwareness {
  const { connection, clock } = internals
  const retry = createRetry(internals)
  const awareness = new Awareness(doc)
  /** Ids of clients by their memberships. */
  const clients = new Map<string, number>()
  const memberships = new Map<number, string>()
  let isOpen = false
  let isSending = false
  let isChanged = false
  let cancelTick: (() => void) | undefined

  const send = (): void => {
    cancelTick = undefined
    if (!isOpen || isSending || !isChanged) return
    isSending = true
    isChanged = false
    const payload = { document: id, client: doc.clientID, state: awareness.getLocalState() }
    connection.request('document:awareness', payload, ({ error }) => {
      isSending = false
      if (error !== undefined && mayRepeat(error)) {
        isChanged = true
        retry.plan(send, error.retryAfterMs)
        return
      }
      retry.reset()
      if (isChanged) plan()
    })
  }
  const plan = (): void => {
    isChanged = true
    cancelTick ??= clock.after(TICK_MS, send)
  }
  const onUpdate = (_change: unknown, origin: unknown): void => {
    if (origin !== REMOTE) plan()
  }
  awareness.on('update', onUpdate)

  const show = (membership: string, { client, state }: AwarenessState): void => {
    if (client === doc.clientID) return
    clients.set(membership, client)
    memberships.set(client, membership)
    const encoder = createEncoder()
    writeVarUint(encoder, 1)
    writeVarUint(encoder, client)
    // Each state that the server sends is newer than the last one.
    writeVarUint(encoder, (awareness.meta.get(client)?.clock ?? 0) + 1)
    writeVarString(encoder, JSON.stringify(state))
    applyAwarenessUpdate(awareness, toUint8Array(encoder), REMOTE)
  }
  const hide = (membership: string): void => {
    const client = clients.get(membership)
    clients.delete(membership)
    // A client that has reconnected has another membership.
    if (client === undefined || memberships.get(client) !== membership) return
    memberships.delete(client)
    removeAwarenessStates(awareness, [client], REMOTE)
  }

  return {
    awareness,
    open: () => {
      isOpen = true
      isChanged = true
      send()
    },
    lose: () => {
      isOpen = false
      isSending = false
      for (const membership of clients.keys()) hide(membership)
    },
    changed: ({ states = {}, left = [], all }) => {
      for (const membership of all === true ? clients.keys() : left) if (!(membership in states)) hide(membership)
      for (const [membership, state] of Object.entries(states)) show(membership, state)
    },
    dispose: () => {
      cancelTick?.()
      retry.reset()
      awareness.off('update', onUpdate)
      awareness.destroy()
    },
  }
}
