export { rules } from '@tutti/server'
export { defineSchema } from '@tutti/protocol'
export { defineRealtime, type RealtimeDefinition } from './define-realtime'
export { useRealtimeServer } from './use-realtime-server'
