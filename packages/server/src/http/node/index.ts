export { attachRealtime, type AttachedRealtimeServer, type AttachRealtimeOptions } from './attach-realtime.ts'
export type { AttachLimitOptions } from '../../option-groups.ts'
