import { useRealtimeEvents } from '@tutti/vue'
import { usePageInfo } from '../page-info.ts'
import { sessionChannel, type Session, type SessionEnded } from '../session.ts'

/** Who is signed in on this page, for as long as it stands: who signs in or out gets another page. */
export const useSession = (): Session | undefined => usePageInfo().session

/** Makes the page anew when its session is ended in another window, so that nothing of it is left. */
export function useSessionEnd(): void {
  const session = useSession()
  if (session === undefined) return
  const events = useRealtimeEvents<Record<`user:${string}:session`, SessionEnded>>()
  events.subscribe(sessionChannel(session.user), ({ ended }) => {
    if (ended === session.id) location.reload()
  })
}
