export { realtimeStores } from './realtime-stores.ts'
