import { setTimeout as wait } from 'node:timers/promises'
import * as fc from 'fast-check'
import { enterPatiently, request, type Attack } from '../attacker.ts'
import { hostileMessage } from '../hostile-messages.ts'
import { createTally } from '../tally.ts'

/** Connections, each of which sends one message after another. */
const CONNECTIONS = 50

/** Pause after a rate-limit refusal, so that messages still reach the handlers, milliseconds. */
const PATIENCE_MS = 250

/** Names that always receive a reply. */
const ANSWERED = /^(storage|event|presence|lock|room|document|server):/

/** Sends every kind of message with every kind of content, drawn from the seed. */
export const anyMessage: Attack = async (context) => {
  const messages = fc.sample(hostileMessage, { seed: context.seed, numRuns: context.messages })
  const tally = createTally()
  let next = 0
  const work = async (place: number): Promise<void> => {
    let socket = await enterPatiently(context, { place })
    for (let at = next++; at < messages.length; at = next++) {
      const message = messages[at]
      if (message === undefined) return
      const { name, args } = message
      if (!ANSWERED.test(name)) {
        socket.emit(name, ...args)
        tally.add("(names that are the application's own)")
        continue
      }
      let outcome = await request(context, socket, name, args)
      while (outcome === 'RATE_LIMITED') {
        tally.add('(held back and sent again)')
        await wait(PATIENCE_MS)
        outcome = await request(context, socket, name, args)
      }
      tally.add(`${name.slice(0, 24)}: ${outcome}`)
      if (outcome === 'disconnected') socket = await enterPatiently(context, { place })
    }
    socket.disconnect()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, place) => work(place)))
  return tally.counts
}
