import type { Attack } from '../attacker.ts'
import { floodConnections } from './flood-connections.ts'

const BURST = 100
/** The room that only Alice may join and observe. */
const FOREIGN = 'user:alice:live'
const OWN = 'public:crowd'
/** Over `presence.maxInfoBytes`. */
const LARGE = 'x'.repeat(3_000)
/** What a record of a member contains, in the hope that a message can set it. */
const FORGED = { id: 'alice-client', user: 'alice', clientId: 'alice-client', connectionId: 'alice', sequence: Number.MAX_SAFE_INTEGER }

const REQUESTS: readonly (readonly [what: string, name: string, payload: object])[] = [
  ['join', 'presence:join', { room: OWN, info: 1 }],
  ['update', 'presence:update', { room: OWN, info: 2 }],
  ['cursor', 'presence:cursor', { room: OWN, data: { x: 1 } }],
  ['large info', 'presence:join', { room: OWN, info: LARGE }],
  ['large cursor', 'presence:cursor', { room: OWN, data: LARGE }],
  ['foreign join', 'presence:join', { room: FOREIGN, info: 1 }],
  ['foreign update', 'presence:update', { room: FOREIGN, info: 1 }],
  ['foreign members', 'presence:subscribe', { room: FOREIGN }],
  ['foreign count', 'presence:subscribe', { room: FOREIGN, count: true }],
  ['cursor without membership', 'presence:cursor', { room: FOREIGN, data: { x: 1 } }],
  ['leave without membership', 'presence:leave', { room: FOREIGN }],
  ['forged join', 'presence:join', { room: OWN, info: 3, ...FORGED }],
  ['forged leave', 'presence:leave', { room: FOREIGN, ...FORGED }],
  ['forged cursor', 'presence:cursor', { room: FOREIGN, data: { x: 1 }, ...FORGED }],
  ['leave', 'presence:leave', { room: OWN }],
]

const NO_REQUEST = ['', '', {}] as const

/**
 * Joins, updates and cursors over their rates and sizes, in rooms of others and in the names of others. The client ID is that of
 * Alice: it makes no difference, because the user is another.
 */
export const presenceFlood: Attack = (context) =>
  floodConnections(context, {
    connections: 2,
    clientId: 'alice-client',
    burst: () =>
      Array.from({ length: BURST }, (_, n) => {
        const [what, name, payload] = REQUESTS[n % REQUESTS.length] ?? NO_REQUEST
        return { what, name, payload }
      }),
  })
