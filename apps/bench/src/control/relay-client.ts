import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { ConnectBenchClient } from '../bench-client.ts'
import { numbersOf } from '../numbers-of.ts'
import type { RelayNotice } from './relay-message.ts'

/** A client of the control: the same WebSocket library that socket.io-client uses on Node, without Socket.IO. */
export const connectRelayClient: ConnectBenchClient = async (url, onUpdate) => {
  const socket = new WebSocket(url.replace('http:', 'ws:'), { perMessageDeflate: false })
  const waiting = new Map<number, () => void>()
  let lastId = 0
  socket.on('message', (data: Buffer) => {
    const notice: RelayNotice = JSON.parse(data.toString())
    if (!('id' in notice)) return onUpdate(numbersOf(['n'], notice.value).n)
    waiting.get(notice.id)?.()
    waiting.delete(notice.id)
  })
  await once(socket, 'open')
  const request = (message: object): Promise<void> =>
    new Promise((resolve) => {
      const id = ++lastId
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, ...message }))
    })
  return {
    subscribe: (keys) => request({ subscribe: keys }),
    write: (key, value) => request({ key, value }),
    close: () => socket.close(),
  }
}
