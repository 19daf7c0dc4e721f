import { RealtimeError } from '@tutti/protocol'
import type { AttachedRealtimeServer } from '../node/attach-realtime.ts'

// Dev servers evaluate the application, including this module, repeatedly in one process. So the current instance is stored on
// `globalThis`, under a name that all evaluations share.
const CURRENT: unique symbol = Symbol.for('@tutti/server:current-realtime')

const scope: object = globalThis
const shared: { [CURRENT]?: AttachedRealtimeServer } = scope

/** Makes this the instance that `useRealtime` gives, and closes the one before it. */
export function replaceCurrentRealtime(realtime: AttachedRealtimeServer): void {
  const previous = shared[CURRENT]
  shared[CURRENT] = realtime
  void previous?.close()
}

/**
 * The instance that the Nitro plugin attached, for routes and handlers.
 *
 * @throws {RealtimeError} `CLOSED` if there is none.
 *
 * @example
 * export default defineHandler(() => useRealtime().state.get('count'))
 */
export function useRealtime(): AttachedRealtimeServer {
  const current = shared[CURRENT]
  if (current !== undefined) return current
  throw new RealtimeError('CLOSED', { message: 'No realtime server is attached: call attachRealtime() in a Nitro plugin first.' })
}
