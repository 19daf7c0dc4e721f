export { attachRealtime } from './attach-realtime.ts'
export { useRealtime } from '../hosted/current-realtime.ts'
export type { AttachedRealtimeServer, AttachRealtimeOptions } from '../node/attach-realtime.ts'
