import { useRealtime } from '@tutti/server/nitro'
import { createRealtime, type Realtime } from '@tutti/vue'

/**
 * The access of a page to the store: with the rights of the requesting user, regardless of the page's code (X11). While the
 * store is unavailable no user can be identified. Then the page contains no values, and receives them once the browser has
 * connected.
 */
export async function readingFor(request: Request): Promise<Realtime> {
  const realtime = useRealtime()
  const user = await realtime.authenticate(request).catch(() => undefined)
  if (user === undefined) return createRealtime({ read: async () => [] })
  const { read, list } = realtime.as(user).state
  return createRealtime({ read, list })
}
