import type { Dialect } from '../dialect.ts'

/** The messages of `adapter-instance.ts`. */
export const createAdapterDialect = (): Dialect => ({
  auth: {},
  updateEvent: 'updated',
  toMessage: (request) => {
    if (request.kind === 'subscribe') return ['subscribe', { keys: request.keys }]
    return ['set', { key: request.key, value: request.value }]
  },
})
