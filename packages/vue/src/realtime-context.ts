import type { RealtimeClient } from '@tutti/client'
import { RealtimeError } from '@tutti/protocol'
import { hasInjectionContext, inject, type InjectionKey } from 'vue'
import type { Owners } from './draft.ts'
import type { PageEntries } from './page-entries.ts'

/** Shared by the composables of one application. */
export interface RealtimeContext {
  readonly client: RealtimeClient
  /** Pages are rendered here, and nothing is connected (S22). */
  readonly onServer: boolean
  readonly owners: Owners
  /** The entries that the page was rendered with, or is being rendered with. */
  readonly page: PageEntries
}

/** A registered symbol, so that a package that is loaded twice (by hot module replacement, or in two versions) finds it. */
export const realtimeKey: InjectionKey<RealtimeContext> = Symbol.for('@tutti/vue')

/** The context provided by `app.use(createRealtime(…))`. Throws `INVALID_OPTIONS`. */
export function useRealtimeContext(): RealtimeContext {
  const context = hasInjectionContext() ? inject(realtimeKey, undefined) : undefined
  if (context) return context
  const message = 'No realtime client: call composables in `setup()` of an application with `app.use(createRealtime(…))`.'
  throw new RealtimeError('INVALID_OPTIONS', { message })
}
