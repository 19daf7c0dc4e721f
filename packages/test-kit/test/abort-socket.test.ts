import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { abortSocket } from '../src/abort-socket.ts'

/** A connected client, and the error of the server's end when it closes, if any. */
async function connection() {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', (error) => (seen.error = error.message)).on('close', () => (seen.closed = true))
    socket.resume()
  })
  const seen = { error: '', closed: false }
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  const socket: Socket = connect(address.port, '127.0.0.1')
  socket.on('error', () => {})
  return { socket, server, seen }
}

/** Settles when the socket has closed, with or without an error. */
const closing = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()))

const handles = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

test('abortSocket resets an open connection', async () => {
  const { socket, server, seen } = await connection()
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(socket, 'connect')])
  const ended = closing(accepted)
  abortSocket(socket)
  await ended
  expect(seen).toEqual({ error: 'read ECONNRESET', closed: true })
})

test('abortSocket closes a socket whose shutdown is in flight, and leaves no handle', async () => {
  const before = handles()
  const { socket, server } = await connection()
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(socket, 'connect')])
  accepted.once('end', () => accepted.destroy())
  const bothClosed = Promise.all([closing(socket), closing(accepted)])
  socket.end()
  abortSocket(socket)
  await bothClosed
  expect(handles()).toBeLessThanOrEqual(before)
})

test('abortSocket closes a socket that is still connecting', async () => {
  const { socket } = await connection()
  expect(socket.connecting).toBe(true)
  const closed = closing(socket)
  abortSocket(socket)
  await closed
})
