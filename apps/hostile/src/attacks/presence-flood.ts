import { setTimeout as wait } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { codeOf, enter, request, type Attack } from '../attacker.ts'
import { createTally } from '../tally.ts'

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

/** Joins, updates and cursors over their rates and sizes, in rooms of others and in the names of others. */
export const presenceFlood: Attack = async (context) => {
  const tally = createTally()
  const end = performance.now() + context.forMs
  const work = async (place: number): Promise<void> => {
    let socket: Socket | undefined
    while (performance.now() < end) {
      // A closed connection is noticed in another turn.
      await wait(1)
      try {
        // With the client ID of Alice, which is that of another member, as the user is another.
        if (socket?.connected !== true)
          socket = await enter(context, { place, auth: { protocol: 1, clientId: 'alice-client', token: context.token } })
      } catch (error) {
        tally.add(`not let in: ${codeOf(error)}`)
        continue
      }
      const sender = socket
      const burst = Array.from({ length: BURST }, async (_, n) => {
        const [what, name, payload] = REQUESTS[n % REQUESTS.length] ?? ['', '', {}]
        tally.add(`${what} ${await request(context, sender, name, [payload])}`)
      })
      await Promise.all(burst)
    }
    socket?.disconnect()
  }
  await Promise.all([0, 1].map(work))
  return tally.counts
}
