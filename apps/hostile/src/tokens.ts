import { jwtVerify, SignJWT } from 'jose'

// Sign-in as applications do it: a signed token that names the user.

const SECRET = new TextEncoder().encode('for these attacks alone, and nowhere else')

/** A token that names the user. `secret`: of somebody who doesn't know the real one. */
export const tokenOf = (id: string, secret: Uint8Array = SECRET): Promise<string> =>
  new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setSubject(id).setIssuedAt().setExpirationTime('1 h').sign(secret)

/** The user whom a token names; null for one that we did not sign. */
export async function userOf(token: string | undefined): Promise<{ id: string } | null> {
  if (token === undefined) return null
  const { payload } = await jwtVerify(token, SECRET, { algorithms: ['HS256'] })
  return payload.sub === undefined ? null : { id: payload.sub }
}
