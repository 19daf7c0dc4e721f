import type { Dialect } from './dialect.ts'
import type { Frame, Wire } from './wire.ts'

/**
 * The frames of Engine.IO 4 and Socket.IO 5 over a WebSocket, as far as the benchmark needs them: `0` open, `2` ping, `40`
 * connected, `42` an event, `43` an acknowledgement. An update is recognised by its beginning and is not parsed.
 */
export function createSocketIoWire({ auth, updateEvent, toMessage }: Dialect): Wire {
  const update = `42["${updateEvent}"`
  const other: Frame = { kind: 'other' }
  const read = (text: string): Frame => {
    if (text.startsWith(update)) return { kind: 'update' }
    if (text.startsWith('43')) {
      const end = text.indexOf('[')
      return { kind: 'reply', id: Number(text.slice(2, end)), ok: text.startsWith('[{"ok":true', end) }
    }
    if (text.startsWith('40')) return { kind: 'connected' }
    if (text === '2') return { kind: 'respond', text: '3' }
    if (text.startsWith('0')) return { kind: 'respond', text: `40${JSON.stringify(auth)}` }
    if (text.startsWith('44')) throw new Error(`The connection was refused: ${text}`)
    return other
  }
  return {
    path: '/socket.io/?EIO=4&transport=websocket',
    connectedWhenOpen: false,
    read,
    encode: (id, request) => `42${id}${JSON.stringify(toMessage(request))}`,
  }
}
