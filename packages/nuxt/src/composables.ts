/**
 * The auto-imported composables of pages, by the entry of `@tutti/vue` that exports them. `runtime/app/composables.ts` exports them,
 * except those of `OPTIONAL_ENTRIES`.
 */
export const COMPOSABLES = {
  '@tutti/vue': ['useRealtime', 'useRealtimeState', 'useRealtimeEvents', 'useRealtimeConnection'],
  '@tutti/vue/collection': ['useRealtimeCollection'],
  '@tutti/vue/durable': ['useRealtimeChannel'],
  '@tutti/vue/documents': ['useRealtimeDocument', 'useDocumentVersions'],
  '@tutti/vue/lock': ['useRealtimeLock', 'useRealtimeLocks'],
  '@tutti/vue/messages': ['useRealtimeMessages'],
  '@tutti/vue/presence': ['useRealtimePresence', 'useRealtimeCursors'],
  '@tutti/vue/room': ['useRealtimeRoom'],
} as const

/**
 * Entries that need a package which the application may not have, with the file that exports them: it is loaded only by pages that
 * use them.
 */
export const OPTIONAL_ENTRIES: Readonly<Record<string, string>> = { '@tutti/vue/documents': './runtime/app/documents' }
