import { useRealtime } from '@tutti/server/nitro'
import { sessionChannel, type Session, type SessionEnded } from '../app/session.ts'
import { tokenIn } from './session-cookie.ts'
import { provenSession } from './session-token.ts'

/**
 * The session in the cookies of a request, if the token is valid and the session has not ended. Rejects while the store is
 * unavailable.
 */
export async function sessionOf(cookies: string | null | undefined): Promise<Session | undefined> {
  const session = await provenSession(tokenIn(cookies ?? ''))
  if (session === undefined) return undefined
  return 'value' in (await useRealtime().state.get(endedKey(session))) ? undefined : session
}

/** Ends a session on every instance, so that its token is invalid, and notifies its open windows. */
export async function endSession(session: Session): Promise<void> {
  const { state, events } = useRealtime()
  const message: SessionEnded = { ended: session.id }
  await state.set(endedKey(session), true, { ttlMs: Math.max(session.expiresAt - Date.now(), 1) })
  await events.publish(sessionChannel(session.user), { ...message })
}

/** Stored for the remaining lifetime of the token. The rules do not mention it, so no client can access it. */
const endedKey = ({ id }: Session): string => `ended-sessions:${id}`
