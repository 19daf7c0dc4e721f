import { document, type DocumentOptions, type DocumentSnapshot, type RealtimeDocument } from '@tutti/documents/client'
import { computed, onScopeDispose, shallowRef, toValue, watch, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import { bridgeObservable } from '../bridge-observable.ts'
import { useRealtimeContext } from '../realtime-context.ts'

/** Options of `useRealtimeDocument`. */
export type UseRealtimeDocumentOptions = DocumentOptions

/** A document that many edit, in a component. */
export interface UseRealtimeDocumentReturn {
  /** The Yjs document, for any editor binding of Yjs. Another one after the id has changed. */
  readonly doc: ComputedRef<RealtimeDocument['doc']>
  /** Its shared text. */
  readonly text: ComputedRef<RealtimeDocument['text']>
  /** Cursors and names of clients that have it open. Read it in the browser only. */
  readonly awareness: ComputedRef<RealtimeDocument['awareness']>
  /** No content has arrived, neither from the server nor from the storage; true in a page that is rendered on a server. */
  readonly loading: ComputedRef<boolean>
  /** The server has all edits of this client. */
  readonly synced: ComputedRef<boolean>
  /** Edits that the server has not acknowledged, for example offline. */
  readonly pendingUpdates: ComputedRef<number>
  /** All that is shown is in the database. */
  readonly stored: ComputedRef<boolean>
  /** The database refuses the document; its edits are kept in the log. */
  readonly failing: ComputedRef<boolean>
  /** Edits are not accepted. */
  readonly readOnly: ComputedRef<boolean>
  /** Why the document is not available, or why an edit was refused. */
  readonly error: ComputedRef<Error | undefined>
  /** Why the storage (`persist`) does not have the latest edits: a reload loses those that the server has not acknowledged. */
  readonly persistError: ComputedRef<Error | undefined>
  /** `undo` has edits to revert. */
  readonly canUndo: ComputedRef<boolean>
  /** `redo` has edits to apply again. */
  readonly canRedo: ComputedRef<boolean>
  /** Reverts the last edits of this client; those of others are kept. Returns false if there are none. */
  undo(): boolean
  /** Applies the last edits again that `undo` has reverted. Returns false if there are none. */
  redo(): boolean
}

const LOADING: DocumentSnapshot = {
  loading: true,
  synced: false,
  pendingUpdates: 0,
  stored: false,
  failing: false,
  readOnly: false,
  error: undefined,
  persistError: undefined,
  canUndo: false,
  canRedo: false,
}

/**
 * A document that many edit at once. A changed id is followed. Ends with its scope.
 *
 * @throws {RealtimeError} `INVALID_DOCUMENT`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const { text, synced, pendingUpdates } = useRealtimeDocument(() => `notes:${id.value}`)
 */
export function useRealtimeDocument(id: MaybeRefOrGetter<string>, options: UseRealtimeDocumentOptions = {}): UseRealtimeDocumentReturn {
  const { client, onServer } = useRealtimeContext()
  const open = (): RealtimeDocument => document(client, toValue(id), onServer ? {} : options)
  const handle = shallowRef(open())
  // No scope ends on a server, and nothing is retained there.
  if (onServer) handle.value.dispose()
  const onChange = (): void => {
    shown.value = bridge.current
  }
  const bridge = bridgeObservable<DocumentSnapshot>(handle.value, { onServer, rendered: () => LOADING, onChange })
  const shown = shallowRef(bridge.current)
  const follow = (): void => {
    const before = handle.value
    handle.value = open()
    before.dispose()
    bridge.follow(handle.value)
  }
  watch(() => toValue(id), follow, { flush: 'sync' })
  onScopeDispose(() => handle.value.dispose(), true)
  return {
    doc: computed(() => handle.value.doc),
    text: computed(() => handle.value.text),
    awareness: computed(() => handle.value.awareness),
    loading: computed(() => shown.value.loading),
    synced: computed(() => shown.value.synced),
    pendingUpdates: computed(() => shown.value.pendingUpdates),
    stored: computed(() => shown.value.stored),
    failing: computed(() => shown.value.failing),
    readOnly: computed(() => shown.value.readOnly),
    error: computed(() => shown.value.error),
    persistError: computed(() => shown.value.persistError),
    canUndo: computed(() => shown.value.canUndo),
    canRedo: computed(() => shown.value.canRedo),
    undo: () => handle.value.undo(),
    redo: () => handle.value.redo(),
  }
}
