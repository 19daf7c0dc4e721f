import { useRealtimeConnection } from '@tutti/vue'
import type { UseRealtimeDocumentReturn } from '@tutti/vue/documents'
import { computed, type ComputedRef } from 'vue'

/** What the user must know about a document. */
export interface DocumentNotice {
  /** Why it cannot be read or changed, or why changes may be lost, in words; '' where all is well. */
  readonly notice: ComputedRef<string>
  /** The server has another document than this browser. */
  readonly isReplaced: ComputedRef<boolean>
}

/** Follows the state of a document. */
export function useDocumentNotice({
  loading,
  readOnly,
  error,
  persistError,
  pendingUpdates,
}: Pick<UseRealtimeDocumentReturn, 'loading' | 'readOnly' | 'error' | 'persistError' | 'pendingUpdates'>): DocumentNotice {
  const { status } = useRealtimeConnection()
  const code = computed(() => (error.value && 'code' in error.value ? error.value.code : undefined))
  const notice = computed(() => {
    if (code.value === 'UNSUPPORTED') return 'This server has no documents: it needs a database (DATABASE_URL).'
    if (code.value === 'TOO_LARGE') return 'This document is full. Your last change was not saved.'
    if (code.value === 'FORBIDDEN') return 'You may no longer change this document.'
    if (code.value === 'CONFLICT')
      return 'This document was replaced on the server. Below is the text that this browser has kept: copy what you need.'
    if (error.value) return error.value.message
    if (status.value !== 'connected') {
      if (loading.value) return 'This document opens when you are back online.'
      if (persistError.value && pendingUpdates.value > 0) return 'Keep this page open: this browser cannot store your changes.'
    }
    if (!loading.value && readOnly.value) return 'You can read this document. Sign in to change it.'
    return ''
  })
  return { notice, isReplaced: computed(() => code.value === 'CONFLICT') }
}
