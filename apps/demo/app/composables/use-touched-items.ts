import type { RealtimeCollection, RealtimeItem } from '@tutti/vue/collection'
import { reactive, watch } from 'vue'

/**
 * The entries of a collection that other users have added or changed, and how often, for a brief highlight (`v-touched`). A
 * change comes from another user if the version increases while no local change is pending.
 */
export function useTouchedItems<T>({ items, loading }: Pick<RealtimeCollection<T>, 'items' | 'loading'>): ReadonlyMap<string, number> {
  const touched = reactive(new Map<string, number>())
  const look = (): Map<string, Pick<RealtimeItem<T>, 'version' | 'pending'>> =>
    new Map(items.value.map(({ key, version, pending }) => [key, { version, pending }]))
  watch([look, loading], ([now], [before, wasLoading]) => {
    for (const [key, { version, pending }] of now) {
      const last = before.get(key)
      const isOwn = last === undefined ? pending : last.pending || last.version === version
      if (!isOwn && !wasLoading) touched.set(key, (touched.get(key) ?? 0) + 1)
    }
  })
  return touched
}
