import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { createAuthorizationCache } from '../src/authorization/authorization-cache.ts'
import { createAddressLimit } from '../src/connection/address-limit.ts'
import type { ConnectionManager } from '../src/connection/connection-manager.ts'
import { createConnectRate } from '../src/connection/connect-rate.ts'
import { createSubscriptions } from '../src/connection/connection.ts'
import { TokenBucket } from '../src/connection/token-bucket.ts'
import { drain } from '../src/shutdown.ts'

test.each([
  {
    limit: 'the rate of requests',
    exceed: () => {
      const bucket = new TokenBucket(1, () => 0)
      for (;;) bucket.take('requests per second (requestsPerSecond)')
    },
    message: 'Rate limit exceeded: 1 requests per second (requestsPerSecond).',
  },
  {
    limit: 'the rate of connection attempts',
    exceed: () => {
      const rate = createConnectRate(2, () => 0)
      for (;;) rate.count('127.0.0.1')
    },
    message:
      'Rate limit exceeded: 2 connection attempts per second and address (connectsPerSecondPerAddress). Behind a proxy, set `trustProxy`.',
  },
  {
    limit: 'the connections of an address',
    exceed: () => {
      const addresses = createAddressLimit(3)
      for (;;) addresses.enter('127.0.0.1')
    },
    message: 'Connection limit per address reached (maxConnectionsPerAddress: 3). Behind a proxy, set `trustProxy`.',
  },
  {
    limit: 'the subscriptions of a connection',
    exceed: () => createSubscriptions(1).add(['a', 'b']),
    message: 'Subscription limit reached for this connection (maxSubscriptions: 1).',
  },
])('[X5] the refusal past $limit names the option and its value', ({ exceed, message }) => {
  expect(exceed).toThrow(message)
})

test.each([
  [{ action: 'state:write', target: { key: 'todos:1' } } as const, 'Not allowed: state:write on todos:1.'],
  [{ action: 'state:read', target: { prefix: 'todos:' } } as const, 'Not allowed: state:read on todos:.'],
  [{ action: 'event:subscribe', target: { pattern: 'chat:*' } } as const, 'Not allowed: event:subscribe on chat:*.'],
])('[X7] the refusal of %j names the action and its target', (access, message) => {
  const cache = createAuthorizationCache(
    () => false,
    Date.now,
    () => {},
  )
  expect(cache.decide(access)).toEqual({ refusal: new RealtimeError('FORBIDDEN', { message }) })
})

test('[C5] the report of a part that does not close names the part and `drainMs`', async () => {
  const errors: unknown[] = []
  const connections: ConnectionManager = { isOpen: true, refuse: async () => {}, idle: async () => {}, disconnect: () => {} }
  const parts = [{ name: 'the store', close: () => new Promise<void>(() => {}) }]
  await drain({ connections, reconnectAfterMs: 0, drainMs: 1, parts, onError: (error) => void errors.push(error) })
  expect(errors).toMatchObject([{ code: 'UNAVAILABLE', message: 'Shutdown exceeded drainMs (1 ms) while closing the store.' }])
})
