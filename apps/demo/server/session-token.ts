import { randomBytes, randomUUID } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { userIdOf, type Session } from '../app/session.ts'

/** How long a sign-in lasts. */
const LASTS_MS = 12 * 60 * 60 * 1_000

/** The output length of HS256: RFC 7518, section 3.2. */
const MIN_SECRET_BYTES = 32

/**
 * Provides the signing secret: `SESSION_SECRET`, or a random one for the lifetime of the process. It is stored in the
 * environment, because routes and pages are separate bundles. Throws if the secret is too short.
 */
export function provideSecret(): void {
  process.env['SESSION_SECRET'] ||= randomBytes(MIN_SECRET_BYTES).toString('base64url')
  if (secret().length < MIN_SECRET_BYTES) throw new Error(`SESSION_SECRET needs at least ${MIN_SECRET_BYTES} bytes.`)
}

/** A new session of the user with this name, and its signed token; `undefined` for an invalid name. */
export async function beginSession(name: string): Promise<{ session: Session; token: string } | undefined> {
  const user = userIdOf(name)
  if (user === undefined) return undefined
  // Tokens contain whole seconds.
  const expiresAt = Math.floor((Date.now() + LASTS_MS) / 1_000) * 1_000
  const session = { id: randomUUID(), user, name: name.trim(), expiresAt }
  const token = await new SignJWT({ name: session.name })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setJti(session.id)
    .setIssuedAt()
    .setExpirationTime(new Date(expiresAt))
    .sign(secret())
  return { session, token }
}

/** The session of a valid token; `undefined` if it is forged, expired or absent. */
export async function provenSession(token: string): Promise<Session | undefined> {
  try {
    const { payload } = await jwtVerify(token, secret(), { algorithms: ['HS256'] })
    const { jti: id, sub: user, name, exp } = payload
    if (id === undefined || user === undefined || typeof name !== 'string' || exp === undefined) return undefined
    return { id, user, name, expiresAt: exp * 1_000 }
  } catch {
    return undefined
  }
}

const secret = (): Uint8Array => new TextEncoder().encode(process.env['SESSION_SECRET'])
