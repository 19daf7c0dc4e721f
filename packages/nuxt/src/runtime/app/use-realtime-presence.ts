export { useRealtimePresence } from '@tutti/vue/presence'
