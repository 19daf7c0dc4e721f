import { io } from 'socket.io-client'
import { onTestFinished } from 'vitest'

/** A plain socket.io-client that sends protocol messages without the SDK and records received ones. */
export interface HandMadeClient {
  /** All received messages except refusals, as JSON. */
  readonly received: readonly string[]
  /** `ok`, or the code of the refusal. */
  request(name: string, payload: object): Promise<string>
  /** Sends a message that has no reply. */
  send(name: string, payload: object): void
}

/** Connects with cookies as a browser would send them. */
export async function connectByHand(address: string, cookie = ''): Promise<HandMadeClient> {
  const socket = io(address, { transports: ['websocket'], reconnection: false, forceNew: true, extraHeaders: cookie ? { cookie } : {} })
  onTestFinished(() => void socket.disconnect())
  const received: string[] = []
  socket.onAny((name, payload) => received.push(JSON.stringify([name, payload])))
  await new Promise((resolve, reject) => socket.once('connect', () => resolve(undefined)).once('connect_error', reject))
  return {
    received,
    send: (name, payload) => void socket.emit(name, payload),
    request: async (name, payload) => {
      const reply: { ok: boolean; error?: { code: string } } = await socket.timeout(10_000).emitWithAck(name, payload)
      if (reply.ok) received.push(JSON.stringify([name, reply]))
      return reply.ok ? 'ok' : (reply.error?.code ?? 'refused without a code')
    },
  }
}
