import { useRealtime } from '@tutti/server/nitro2'

export default defineEventHandler(() => useRealtime().state.get('count'))
