/**
 * The auto-imported composables of pages, by the entry of `@tutti/vue` that exports them. `runtime/app/composables.ts` exports them
 * all, some with the types of `shared/realtime.ts`.
 */
export const COMPOSABLES = {
  '@tutti/vue': ['useRealtime', 'useRealtimeState', 'useRealtimeEvents', 'useRealtimeConnection'],
  '@tutti/vue/collection': ['useRealtimeCollection'],
  '@tutti/vue/durable': ['useRealtimeChannel'],
  '@tutti/vue/presence': ['useRealtimePresence', 'useRealtimeCursors'],
} as const
