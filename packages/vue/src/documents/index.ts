export { useRealtimeDocument, type UseRealtimeDocumentReturn } from './use-realtime-document.ts'
