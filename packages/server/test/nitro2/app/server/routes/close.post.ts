import { useRealtime } from '@tutti/server/nitro2'

export default defineEventHandler(async () => {
  await useRealtime().close()
  return 'closed'
})
