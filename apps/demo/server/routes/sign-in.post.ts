import { defineHandler } from 'nitro'
import { HTTPError } from 'nitro/h3'
import { NAME_IN_WORDS } from '../../app/session.ts'
import { toPage, ownForm } from '../own-form.ts'
import { keepToken } from '../session-cookie.ts'
import { beginSession } from '../session-token.ts'

/** Signs in a visitor under the given name: the response sets the token as a cookie. */
export default defineHandler(async ({ req }) => {
  const name = (await ownForm(req)).get('name')
  const begun = typeof name === 'string' ? await beginSession(name) : undefined
  if (begun === undefined) throw new HTTPError({ status: 400, message: `Invalid name. ${NAME_IN_WORDS}.` })
  return toPage('/#own-list', keepToken(begun.token, begun.session.expiresAt, req))
})
