import { jwtVerify, SignJWT } from 'jose'

// Sign-in as in applications: a signed token with the ID of the user.

const SECRET = new TextEncoder().encode('for these attacks alone, and nowhere else')

/** A token with the ID of the user. `secret`: a wrong one for a forged token. */
export const tokenOf = (id: string, secret: Uint8Array = SECRET): Promise<string> =>
  new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setSubject(id).setIssuedAt().setExpirationTime('1 h').sign(secret)

/** The user of a token; null if its signature is invalid. */
export async function userOf(token: string | undefined): Promise<{ id: string } | null> {
  if (token === undefined) return null
  const { payload } = await jwtVerify(token, SECRET, { algorithms: ['HS256'] })
  return payload.sub === undefined ? null : { id: payload.sub }
}
