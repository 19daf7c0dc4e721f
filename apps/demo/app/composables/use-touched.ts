import type { RealtimeState } from '@tutti/vue'
import { reactive, watch } from 'vue'

/**
 * The parts of a shared value that other users have changed, and how often, for a brief highlight (`v-touched`). A change comes
 * from another user if the version increases while no local change is pending.
 */
export function useTouched<T>(state: RealtimeState<T>, partsOf: (value: T) => Record<string, unknown>): ReadonlyMap<string, number> {
  const touched = reactive(new Map<string, number>())
  const look = (): Map<string, string> => new Map(Object.entries(partsOf(state.value)).map(([name, part]) => [name, JSON.stringify(part)]))
  let seen = look()
  watch([state.version, state.pending], ([version], [before, wasPending]) => {
    const now = look()
    if (before !== undefined && version !== before && !wasPending) {
      for (const [name, text] of now) if (seen.get(name) !== text) touched.set(name, (touched.get(name) ?? 0) + 1)
    }
    seen = now
  })
  return touched
}
