import type { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import * as ws from 'ws'
import { acknowledgementPacket, eventPacket } from '../src/connection/packet.ts'

/** What reads frames in a client of ws. It has no types. */
const Receiver: new (options: { isServer: boolean }) => Writable = Reflect.get(ws, 'Receiver')

/** The messages that a WebSocket client reads from these bytes. */
function messagesOf(bytes: Buffer): string[] {
  const messages: string[] = []
  const receiver = new Receiver({ isServer: false })
  receiver.on('message', (data: Buffer, isBinary: boolean) => messages.push(isBinary ? 'binary' : data.toString()))
  receiver.on('error', (error: Error) => messages.push(error.message))
  receiver.write(bytes)
  return messages
}

const textOf = (length: number): string => `{"v":"${'x'.repeat(length)}"}`

/** Bytes of an event packet around a value of no length. */
const OVERHEAD = Buffer.byteLength(`42["n",${textOf(0)}]`)

test.each([0, 125, 126, 127, 65_535, 65_536, 200_000])('a frame of %d bytes is read as the message that it carries', (length) => {
  const json = textOf(Math.max(0, length - OVERHEAD))
  const packet = eventPacket('n', json)
  expect(packet.text).toBe(`2["n",${json}]`)
  expect(messagesOf(packet.frame)).toEqual([`4${packet.text}`])
  if (length >= OVERHEAD) expect(Buffer.byteLength(`4${packet.text}`)).toBe(length)
})

test.each(['ü', '日本語', '👩‍👩‍👧', '\u2028\u0000\\', 'x'.repeat(120) + 'ü'])('text beyond ASCII is counted in bytes: %j', (value) => {
  const { frame } = acknowledgementPacket(12, JSON.stringify({ value }))
  expect(messagesOf(frame)).toEqual([`4312[${JSON.stringify({ value })}]`])
})

test('frames that follow each other are read one by one, and a frame is made once', () => {
  const packets = [eventPacket('a', '1'), acknowledgementPacket(0, '{}'), eventPacket('b', textOf(70_000))]
  expect(messagesOf(Buffer.concat(packets.map(({ frame }) => frame)))).toEqual(packets.map(({ text }) => `4${text}`))
  const [packet] = packets
  expect(packet?.frame).toBe(packet?.frame)
})
