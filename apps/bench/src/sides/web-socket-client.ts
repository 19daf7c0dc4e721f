import { WebSocket } from 'ws'
import { numbersIn, type ConnectBenchClient } from './bench-client.ts'
import type { Wire } from './wire.ts'

/**
 * A client that reads and writes frames over `ws`, the library that socket.io-client uses on Node, and parses no more than the
 * benchmark needs. All sides have one of it, so a thousand clients cost the same CPU on each.
 */
export const webSocketClient =
  (createWire: () => Wire): ConnectBenchClient =>
  async (url, { onUpdate, onClose }) => {
    const wire = createWire()
    const socket = new WebSocket(url.replace('http:', 'ws:') + wire.path, { perMessageDeflate: false })
    const waiting = new Map<number, (text: string, ok: boolean) => void>()
    let lastId = 0
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).once('close', () => reject(new Error('The connection was closed before it could be used.')))
      if (wire.connectedWhenOpen) socket.once('open', resolve)
      socket.on('message', (data: Buffer) => {
        const text = data.toString()
        const frame = wire.read(text)
        switch (frame.kind) {
          case 'update':
            return onUpdate(numbersIn(text)[0] ?? Number.NaN, data.length)
          case 'reply':
            waiting.get(frame.id)?.(text, frame.ok)
            return void waiting.delete(frame.id)
          case 'respond':
            return socket.send(frame.text)
          case 'connected':
            return resolve()
          case 'other':
            return undefined
        }
      })
    })
    // A connection that the instance cuts is reset: `close` follows.
    socket.on('error', () => {})
    socket.once('close', () => onClose?.())
    return {
      request: (request) =>
        new Promise((resolve, reject) => {
          const id = ++lastId
          waiting.set(id, (text, ok) => {
            if (!ok) reject(new Error(`A request was refused: ${text.slice(0, 200)}`))
            else resolve(request.kind === 'subscribe' ? numbersIn(text) : [])
          })
          socket.send(wire.encode(id, request))
        }),
      close: () => socket.close(),
    }
  }
