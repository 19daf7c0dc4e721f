import { enterPatiently, request, type Attack } from '../attacker.ts'
import { createTally } from '../tally.ts'

/** Uses the client ID of Alice, to read the results of mutations of Alice, or to disturb them. */
export const stolenClientId: Attack = async (context) => {
  const tally = createTally()
  const socket = await enterPatiently(context, { auth: { protocol: 1, clientId: 'alice-client', token: context.token } })
  for (let number = 1; number <= 20; number += 1) {
    for (const key of ['user:alice:notes', 'public:stolen', 'shared:latency']) {
      const mutation = { number, clientId: 'alice-client' }
      tally.add(`${key} ${await request(context, socket, 'storage:set', [{ key, value: 'mine now', mutation }])}`)
      tally.add(`${key} ${await request(context, socket, 'storage:increment', [{ key, by: 1, mutation: { number } }])}`)
    }
  }
  socket.disconnect()
  return tally.counts
}
