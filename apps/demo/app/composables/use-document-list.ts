import { useRealtimeCollection, type RealtimeCollection, type RealtimeItem } from '@tutti/vue/collection'
import { computed, shallowRef, type ComputedRef, type Ref } from 'vue'
import { DOCUMENT_PREFIX, isDocumentEntry, type DocumentEntry } from '../shared-state.ts'
import { useTouchedItems } from './use-touched-items.ts'

/** More than a list can show. */
const LIMIT = 200

/** A document that was deleted in this page. */
export interface DeletedDocument {
  readonly key: string
  readonly title: string
}

/** The documents of all visitors: their titles are shared state, each under the id of its document. */
export interface DocumentList extends Pick<RealtimeCollection<DocumentEntry>, 'loading' | 'error'> {
  readonly items: ComputedRef<readonly RealtimeItem<DocumentEntry>[]>
  /** How often others have changed a title, by key. */
  readonly touched: ReadonlyMap<string, number>
  /** The last one that was deleted, until it is restored or another one is created. */
  readonly deleted: Readonly<Ref<DeletedDocument | undefined>>
  /** Returns the id. */
  create(): string
  remove(item: RealtimeItem<DocumentEntry>): void
  /** Lists the deleted document again. Its text was kept. */
  restore(): void
}

/** The list of documents. */
export function useDocumentList(): DocumentList {
  const list = useRealtimeCollection<DocumentEntry>(DOCUMENT_PREFIX, { limit: LIMIT })
  const deleted = shallowRef<DeletedDocument>()
  return {
    loading: list.loading,
    error: list.error,
    items: computed(() => list.items.value.filter(({ value }) => isDocumentEntry(value))),
    touched: useTouchedItems(list),
    deleted,
    create: () => {
      deleted.value = undefined
      return list.add({ title: '' })
    },
    remove: ({ key, value }) => {
      deleted.value = { key, title: value.title }
      void list.remove(key)
    },
    restore: () => {
      if (deleted.value === undefined) return
      const { key, title } = deleted.value
      void list.set(key, { title })
      deleted.value = undefined
    },
  }
}
