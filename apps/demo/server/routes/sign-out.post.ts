import { defineHandler } from 'nitro'
import { toPage, ownForm } from '../own-form.ts'
import { forgetToken } from '../session-cookie.ts'
import { endSession, sessionOf } from '../sessions.ts'

/** Ends the session, on every instance and in every window of the browser. */
export default defineHandler(async ({ req }) => {
  await ownForm(req)
  try {
    const session = await sessionOf(req.headers.get('cookie'))
    if (session !== undefined) await endSession(session)
  } catch (error) {
    // Without the store the token is still removed from this browser.
    console.error('Sign-out:', error)
  }
  return toPage('/', forgetToken(req))
})
