import { RealtimeError } from '@tutti/protocol'
import { isRef, toRaw, type App } from 'vue'
import { isRealtimeState } from './is-realtime-state.ts'

/**
 * Throws `INVALID_OPTIONS` if the state of a Pinia store contains shared state: a page would contain a copy, from which the
 * browser would create an independent ref (S23).
 */
export function checkStores(app: App): void {
  const stores: unknown = app.config.globalProperties['$pinia']?.state
  for (const [id, state] of Object.entries(isRef<object>(stores) ? toRaw(stores.value) : {}))
    if (Object.values(toRaw(state) as object).some(isRealtimeState))
      throw new RealtimeError('INVALID_OPTIONS', { message: `Option store "${id}" contains shared state. Add pinia.use(realtimeStores).` })
}
