export { attachRealtime, type AttachedRealtimeServer, type AttachRealtimeOptions } from './attach-realtime.ts'
