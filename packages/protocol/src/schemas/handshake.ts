import * as v from 'valibot'
import { clientIdSchema } from './values.ts'

/**
 * The `auth` of the Socket.IO handshake. Every field is optional, so that a plain socket.io-client can connect without it;
 * `features` lists the kinds of messages beyond protocol 1 that the client supports.
 */
export const handshakeSchema = v.object({
  protocol: v.optional(v.number()),
  clientId: v.optional(clientIdSchema),
  token: v.optional(v.string()),
  features: v.optional(v.array(v.string())),
})
