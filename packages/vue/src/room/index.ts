export type { MessageContext } from '@tutti/client/messages'
export { useRealtimeRoom, type UseRealtimeRoomReturn } from './use-realtime-room.ts'
