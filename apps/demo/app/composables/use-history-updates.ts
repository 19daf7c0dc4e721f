import { onScopeDispose, watch } from 'vue'
import type { UseRealtimeDocumentReturn } from '@tutti/vue/documents'

/** Changes of the same moment are loaded once, milliseconds. */
const SETTLED_MS = 1_000

/** The field of the awareness with the time at which its user last changed the versions. */
const FIELD = 'versions'

/**
 * Runs `refresh` when changes of the document are stored, and when another page saves or restores a version. `announce` notifies the
 * other pages.
 */
export function useHistoryUpdates(
  { awareness, stored }: Pick<UseRealtimeDocumentReturn, 'awareness' | 'stored'>,
  refresh: () => Promise<void>,
): { announce: () => void } {
  const latest = (): number => {
    const { doc } = awareness.value
    const states = [...awareness.value.getStates()].filter(([client]) => client !== doc.clientID)
    return Math.max(0, ...states.map(([, state]) => Number(state[FIELD]) || 0))
  }
  let seen = latest()
  const onChange = (): void => {
    const now = latest()
    if (now > seen) void refresh()
    seen = Math.max(seen, now)
  }
  watch(
    awareness,
    (next, _before, onCleanup) => {
      next.on('change', onChange)
      onCleanup(() => next.off('change', onChange))
    },
    { immediate: true },
  )
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(stored, (isStored) => {
    clearTimeout(timer)
    if (isStored) timer = setTimeout(() => void refresh(), SETTLED_MS)
  })
  onScopeDispose(() => clearTimeout(timer))
  return { announce: () => awareness.value.setLocalStateField(FIELD, Date.now()) }
}
