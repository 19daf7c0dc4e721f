import { useRealtime } from '@tutti/server/nitro'
import { defineHandler } from 'nitro'

export default defineHandler(async () => {
  await useRealtime().close()
  return 'closed'
})
