import { setTimeout as wait } from 'node:timers/promises'
import { enterPatiently, request, type Attack } from '../attacker.ts'
import { createTally } from '../tally.ts'

/** Subscribes to keys and channels without end, allowed ones and others. */
export const subscriptionStorm: Attack = async (context) => {
  const tally = createTally()
  const socket = await enterPatiently(context)
  const end = performance.now() + context.forMs
  for (let n = 0; performance.now() < end && socket.connected; n += 1) {
    const keys = Array.from({ length: 100 }, (_, index) => ({ key: `public:${n}:${index}` }))
    const outcomes = await Promise.all([
      request(context, socket, 'storage:subscribe', [{ keys }]),
      request(context, socket, 'event:subscribe', [{ channel: `public:${n}` }]),
      request(context, socket, 'event:subscribe', [{ channel: '*' }]),
      request(context, socket, 'event:subscribe', [{ channel: 'user:*' }]),
      request(context, socket, 'event:subscribe', [{ channel: 'user:alice:*' }]),
      request(context, socket, 'storage:subscribe', [{ prefix: 'user:alice:' }]),
      request(context, socket, 'storage:subscribe', [{ prefix: 'user:' }]),
      request(context, socket, 'storage:subscribe', [{ keys: [...keys, { key: 'user:alice:notes' }] }]),
    ])
    for (const outcome of outcomes) tally.add(outcome)
  }
  // Stays for a while, to receive messages for others.
  await wait(300)
  socket.disconnect()
  return tally.counts
}
