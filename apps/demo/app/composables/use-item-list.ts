import { useRealtimeCollection, type RealtimeCollection, type RealtimeItem } from '@tutti/vue/collection'
import { computed, type ComputedRef } from 'vue'
import { isListItem, type ListItem } from '../shared-state.ts'
import { useTouchedItems } from './use-touched-items.ts'

/** More than users tick off. */
const LIMIT = 500

/** A list of things to tick off, each with its own key. */
export interface ItemList extends Pick<RealtimeCollection<ListItem>, 'loading' | 'pending' | 'error' | 'remove'> {
  readonly items: ComputedRef<readonly RealtimeItem<ListItem>[]>
  /** How often others have changed an entry, by key. */
  readonly touched: ReadonlyMap<string, number>
  add(text: string): void
}

/** The list below a prefix, for any owner. */
export function useItemList(prefix: string): ItemList {
  const list = useRealtimeCollection<ListItem>(prefix, { limit: LIMIT })
  const { loading, pending, error, remove } = list
  return {
    loading,
    pending,
    error,
    remove,
    items: computed(() => list.items.value.filter(({ value }) => isListItem(value))),
    touched: useTouchedItems(list),
    add: (text) => void list.add({ text, done: false }),
  }
}
