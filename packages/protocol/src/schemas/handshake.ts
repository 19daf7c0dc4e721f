import * as v from 'valibot'
import { clientIdSchema } from './values.ts'

/**
 * The `auth` of the Socket.IO handshake. All of it is optional, so that a plain socket.io-client can come in as it is;
 * `features` names the kinds of messages beyond protocol 1 that the client understands.
 */
export const handshakeSchema = v.object({
  protocol: v.optional(v.number()),
  clientId: v.optional(clientIdSchema),
  token: v.optional(v.string()),
  features: v.optional(v.array(v.string())),
})
