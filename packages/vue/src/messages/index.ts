export type { MessageContext } from '@tutti/client/messages'
export { useRealtimeMessages, type UseRealtimeMessagesReturn } from './use-realtime-messages.ts'
