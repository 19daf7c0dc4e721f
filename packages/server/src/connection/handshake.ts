import { PROTOCOL_VERSION, RealtimeError, toWireError, type Handshake, type WireError } from '@tutti/protocol'
import { handshakeSchema, parseMessage } from '@tutti/protocol/internal/schemas'

/**
 * The handshake data of a client, or throws `INVALID_MESSAGE` or `PROTOCOL`. Absent data is valid: a plain socket.io-client.
 */
export function parseHandshake(auth: unknown): Handshake {
  const handshake = parseMessage(handshakeSchema, auth ?? {})
  if (handshake.protocol !== undefined && handshake.protocol !== PROTOCOL_VERSION) {
    throw new RealtimeError('PROTOCOL', {
      message: `Unsupported protocol version ${handshake.protocol}: this server supports ${PROTOCOL_VERSION}.`,
    })
  }
  return handshake
}

/** An error as Socket.IO's middleware passes it on: the client finds it as `data` of its `connect_error`. */
export const toConnectError = (error: unknown): Error & { data: WireError } => {
  const data = toWireError(error)
  return Object.assign(new Error(data.code), { data })
}
