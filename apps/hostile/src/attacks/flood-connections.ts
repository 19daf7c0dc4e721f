import { setTimeout as wait } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { codeOf, enter, request, type AttackContext } from '../attacker.ts'
import { createTally, type Counts } from '../tally.ts'

/** A message that expects a reply. */
export interface FloodRequest {
  readonly name: string
  readonly payload: object
  /** Begins the name of its outcome in the counts. */
  readonly what?: string
}

/** How connections are flooded. */
export interface FloodOptions {
  readonly connections: number
  /** The client ID of all connections. Default: one of each. */
  readonly clientId?: string
  /** The requests that are sent at once. The next ones follow when all have their outcomes. */
  readonly burst: (place: number) => readonly FloodRequest[]
}

/** Sends bursts on several connections as fast as replies arrive, and reconnects when one is closed. Returns counts by outcome. */
export async function floodConnections(context: AttackContext, { connections, clientId, burst }: FloodOptions): Promise<Counts> {
  const tally = createTally()
  const end = performance.now() + context.forMs
  const auth = clientId === undefined ? {} : { auth: { protocol: 1, clientId, token: context.token } }
  const work = async (place: number): Promise<void> => {
    let socket: Socket | undefined
    while (performance.now() < end) {
      // A closed connection is noticed in another turn.
      await wait(1)
      if (socket?.connected !== true) {
        try {
          socket = await enter(context, { place, ...auth })
        } catch (error) {
          tally.add(`not let in: ${codeOf(error)}`)
          continue
        }
        tally.add('(connections)')
      }
      const sender = socket
      const send = async ({ name, payload, what }: FloodRequest): Promise<void> => {
        const outcome = await request(context, sender, name, [payload])
        tally.add(what === undefined ? outcome : `${what} ${outcome}`)
      }
      await Promise.all(burst(place).map(send))
    }
    socket?.disconnect()
  }
  await Promise.all(Array.from({ length: connections }, (_, place) => work(place)))
  return tally.counts
}
