import type { Frame, Wire } from '../wire.ts'
import type { RelayRequest } from './relay-message.ts'

/** The frames of the relay: JSON texts, a reply begins with its id. An update is not parsed. */
export const createRelayWire = (): Wire => ({
  path: '/',
  connectedWhenOpen: true,
  read: (text): Frame => {
    if (!text.startsWith('{"id":')) return { kind: 'update' }
    return { kind: 'reply', id: Number.parseInt(text.slice(6, 22), 10), ok: true }
  },
  encode: (id, request) => {
    const message: RelayRequest =
      request.kind === 'subscribe' ? { id, subscribe: request.keys } : { id, key: request.key, value: request.value }
    return JSON.stringify(message)
  },
})
