import { io } from 'socket.io-client'
import { numbersIn, type ConnectBenchClient } from './bench-client.ts'
import type { Dialect } from './dialect.ts'

interface Reply {
  ok: boolean
  error?: { code: string }
}

/** A plain socket.io-client, WebSocket only. */
export const socketIoClient =
  (createDialect: () => Dialect): ConnectBenchClient =>
  async (url, { onUpdate, onClose }) => {
    const { auth, updateEvent, toMessage } = createDialect()
    const socket = io(url, { auth, transports: ['websocket'], reconnection: false, forceNew: true })
    socket.on(updateEvent, (update: { value: { n: number } }) => onUpdate(update.value.n, 0))
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject))
    if (onClose !== undefined) socket.once('disconnect', onClose)
    return {
      request: (request) =>
        new Promise((resolve, reject) => {
          const [event, payload] = toMessage(request)
          socket.emit(event, payload, (reply: Reply) => {
            if (!reply.ok) reject(new Error(`${event}: ${reply.error?.code}`))
            else resolve(request.kind === 'subscribe' ? numbersIn(JSON.stringify(reply)) : [])
          })
        }),
      close: () => void socket.disconnect(),
    }
  }
