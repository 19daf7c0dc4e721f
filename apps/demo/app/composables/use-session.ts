import { useRealtimeEvents } from '@tutti/vue'
import { usePageInfo } from '../page-info.ts'
import { sessionChannel, type Session, type SessionEnded } from '../session.ts'

/** The signed-in user of this page, which never changes: signing in or out loads another page. */
export const useSession = (): Session | undefined => usePageInfo().session

/** Reloads the page when its session ends in another window, so that no private data stays in it. */
export function useSessionEnd(): void {
  const session = useSession()
  if (session === undefined) return
  const events = useRealtimeEvents<Record<`user:${string}:session`, SessionEnded>>()
  events.subscribe(sessionChannel(session.user), ({ ended }) => {
    if (ended === session.id) location.reload()
  })
}
