export { useRealtimeConnection } from '@tutti/vue'
