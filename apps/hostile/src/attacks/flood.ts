import { enter, tell, type Attack } from '../attacker.ts'
import { createTally } from '../tally.ts'

const CONNECTIONS = 4
const BURST = 200

/** Sends writes and events as fast as they are answered, two hundred at a time on each connection. */
export const flood: Attack = async (context) => {
  const tally = createTally()
  const end = performance.now() + context.forMs
  const work = async (place: number): Promise<void> => {
    const socket = await enter(context, { place }).catch(() => undefined)
    if (socket === undefined) return tally.add('not let in')
    while (performance.now() < end && socket.connected) {
      const outcomes = await Promise.all(
        Array.from({ length: BURST }, (_, n) =>
          n % 2 === 0
            ? tell(context, socket, 'storage:set', [{ key: `public:${place}`, value: n }])
            : tell(context, socket, 'event:publish', [{ channel: `public:${place}`, data: n }]),
        ),
      )
      for (const outcome of outcomes) tally.add(outcome)
    }
    socket.disconnect()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, place) => work(place)))
  return tally.counts
}
