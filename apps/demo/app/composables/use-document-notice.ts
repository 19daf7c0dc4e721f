import { useRealtimeConnection } from '@tutti/vue'
import type { UseRealtimeDocumentReturn } from '@tutti/vue/documents'
import { computed, type ComputedRef } from 'vue'

/** Why a document cannot be read or changed, in words; '' where it can. */
export function useDocumentNotice({
  loading,
  readOnly,
  error,
}: Pick<UseRealtimeDocumentReturn, 'loading' | 'readOnly' | 'error'>): ComputedRef<string> {
  const { status } = useRealtimeConnection()
  return computed(() => {
    const code = error.value && 'code' in error.value ? error.value.code : undefined
    if (code === 'UNSUPPORTED') return 'This server has no documents: it needs a database (DATABASE_URL).'
    if (code === 'TOO_LARGE') return 'This document is full. Your last change was not saved.'
    if (code === 'FORBIDDEN') return 'You may no longer change this document.'
    if (error.value) return error.value.message
    if (loading.value && status.value !== 'connected') return 'This document opens when you are back online.'
    if (!loading.value && readOnly.value) return 'You can read this document. Sign in to change it.'
    return ''
  })
}
