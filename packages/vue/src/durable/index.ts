export type { ChannelGap, ChannelRecord, PendingEvent } from '@tutti/client/durable'
export { useRealtimeChannel, type UseRealtimeChannelOptions, type UseRealtimeChannelReturn } from './use-realtime-channel.ts'
