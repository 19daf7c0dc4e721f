import { useRealtime } from '@tutti/server/nitro'
import { sessionChannel, type Session, type SessionEnded } from '../app/session.ts'
import { tokenIn } from './session-cookie.ts'
import { provenSession } from './session-token.ts'

/** The session that the cookies of a request prove and that nobody has ended. Rejects while the store is away. */
export async function sessionOf(cookies: string | null | undefined): Promise<Session | undefined> {
  const session = await provenSession(tokenIn(cookies ?? ''))
  if (session === undefined) return undefined
  return 'value' in (await useRealtime().state.get(endedKey(session))) ? undefined : session
}

/** Ends a session on every instance, so that its token is good for nothing, and tells the windows that still use it. */
export async function endSession(session: Session): Promise<void> {
  const { state, events } = useRealtime()
  const message: SessionEnded = { ended: session.id }
  await state.set(endedKey(session), true, { ttlMs: Math.max(session.expiresAt - Date.now(), 1) })
  await events.publish(sessionChannel(session.user), { ...message })
}

/** Remembered for as long as the token would be good. The rules have no row for it, so no client can reach it. */
const endedKey = ({ id }: Session): string => `ended-sessions:${id}`
