import { PROTOCOL_VERSION } from '@tutti/protocol'
import type { Dialect } from '../dialect.ts'

/** The messages of a client without the SDK: no `clientId`, no mutation numbers. */
export const createTuttiDialect = (): Dialect => ({
  auth: {},
  updateEvent: 'storage:updated',
  toMessage: (request) => {
    switch (request.kind) {
      case 'subscribe':
        return ['storage:subscribe', { keys: request.keys.map((key) => ({ key })) }]
      case 'set':
        return ['storage:set', { key: request.key, value: request.value }]
      case 'change':
        return ['storage:patch', { key: request.key, patch: request.patch }]
    }
  },
})

let connections = 0

/** The messages as `@tutti/client` sends them: a `clientId` in the handshake and a number for each mutation of a key. */
export function createNumberedTuttiDialect(): Dialect {
  const plain = createTuttiDialect()
  const clientId = `bench-${process.pid}-${++connections}`
  const numbers = new Map<string, number>()
  return {
    ...plain,
    auth: { protocol: PROTOCOL_VERSION, clientId, features: [] },
    toMessage: (request) => {
      const [event, payload] = plain.toMessage(request)
      if (request.kind === 'subscribe') return [event, payload]
      const number = (numbers.get(request.key) ?? 0) + 1
      numbers.set(request.key, number)
      return [event, { ...payload, mutation: { number, clientId } }]
    },
  }
}
