import { setTimeout as wait } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { codeOf, enter, request, type Attack } from '../attacker.ts'
import { createTally } from '../tally.ts'

const CONNECTIONS = 4
const BURST = 200

/**
 * Sends writes and events as fast as replies arrive, two hundred at a time on each connection, and reconnects when it is
 * closed.
 */
export const flood: Attack = async (context) => {
  const tally = createTally()
  const end = performance.now() + context.forMs
  const work = async (place: number): Promise<void> => {
    let socket: Socket | undefined
    while (performance.now() < end) {
      // A closed connection is noticed in another turn.
      await wait(1)
      if (socket?.connected !== true) {
        try {
          socket = await enter(context, { place })
        } catch (error) {
          tally.add(`not let in: ${codeOf(error)}`)
          continue
        }
        tally.add('(connections)')
      }
      const sender = socket
      const outcomes = await Promise.all(
        Array.from({ length: BURST }, (_, n) =>
          n % 2 === 0
            ? request(context, sender, 'storage:set', [{ key: `public:${place}`, value: n }])
            : request(context, sender, 'event:publish', [{ channel: `public:${place}`, data: n }]),
        ),
      )
      for (const outcome of outcomes) tally.add(outcome)
    }
    socket?.disconnect()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, place) => work(place)))
  return tally.counts
}
