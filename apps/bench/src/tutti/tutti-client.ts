import type { Reply, StateUpdate } from '@tutti/protocol'
import { io } from 'socket.io-client'
import type { ConnectBenchClient } from '../bench-client.ts'
import { numbersOf } from '../numbers-of.ts'

/** A plain socket.io-client, as whoever has no SDK would use it: no `clientId`, no mutation numbers. */
export const connectTuttiClient: ConnectBenchClient = async (url, onUpdate) => {
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true })
  socket.on('storage:updated', (update: StateUpdate) => {
    if ('value' in update) onUpdate(numbersOf(['n'], update.value).n)
  })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject))
  const request = (name: string, payload: object): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.emit(name, payload, (reply: Reply) => (reply.ok ? resolve() : reject(new Error(`${name}: ${reply.error.code}`))))
    })
  return {
    subscribe: (keys) => request('storage:subscribe', { keys: keys.map((key) => ({ key })) }),
    write: (key, value) => request('storage:set', { key, value }),
    close: () => void socket.disconnect(),
  }
}
