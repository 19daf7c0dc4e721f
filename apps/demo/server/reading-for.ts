import { useRealtime } from '@tutti/server/nitro'
import { createRealtime, type Realtime } from '@tutti/vue'

/**
 * What a page reads with: the rights of the user who asks for it, whatever the code of the page reads (X11). While the store is
 * away nobody can be named. Then the page comes without values, and gets them when the browser has connected.
 */
export async function readingFor(request: Request): Promise<Realtime> {
  const realtime = useRealtime()
  const user = await realtime.authenticate(request).catch(() => undefined)
  if (user === undefined) return createRealtime({ read: async () => [] })
  const { read, list } = realtime.as(user).state
  return createRealtime({ read, list })
}
