export { useDocumentVersions, type UseDocumentVersionsReturn } from './use-document-versions.ts'
export { useRealtimeDocument, type UseRealtimeDocumentOptions, type UseRealtimeDocumentReturn } from './use-realtime-document.ts'
