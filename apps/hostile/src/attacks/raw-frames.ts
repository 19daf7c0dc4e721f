import * as fc from 'fast-check'
import { WebSocket } from 'ws'
import type { Attack } from '../attacker.ts'
import { createTally } from '../tally.ts'

const json = (value: unknown): string => JSON.stringify(value)
const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

/** Frames that are no packets of Engine.IO or Socket.IO, or invalid ones. */
const frames: fc.Arbitrary<string | Buffer> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '40', '41', '42', '43', '44', '45', '46'), fc.string({ maxLength: 80 }))
    .map((parts) => parts.join('')),
  fc.constantFrom(
    `42${json(['storage:set', { key: 'public:raw' }])}`,
    '42["storage:get"',
    '42{"name":"storage:get"}',
    '42[]',
    '42[null]',
    '42[["storage:get"]]',
    '429999999999999999999["storage:get",{}]',
    '42-1["storage:get",{}]',
    `45${json(['storage:set', { key: 'public:raw', value: { _placeholder: true, num: 7 } }])}`,
    `451-${json(['storage:set', { key: 'public:raw', value: { _placeholder: true, num: -1 } }])}`,
    `45999999-${json(['storage:set', {}])}`,
    `421${json(['storage:set', { key: 'public:raw', value: deep(1) }])}`,
    `421["storage:set",{"key":"public:raw","value":${deep(20_000)}}]`,
    '42/other,["storage:get",{"key":"public:raw"}]',
    '40/admin,',
    '43[]',
    '431[{"ok":true}]',
  ),
)

/** Sends frames directly over the WebSocket: invalid packets, invalid messages, and very large ones. */
export const rawFrames: Attack = async ({ urls, token, seed, messages, receive }) => {
  const tally = createTally()
  const sent = fc.sample(frames, { seed, numRuns: Math.ceil(messages / 4) })
  const giant = 'x'.repeat(1_000_000)
  for (let at = 0; at < sent.length; at += 20) {
    const socket = new WebSocket(`${String(urls[at % urls.length]).replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
    socket.on('message', (data) => receive(Buffer.isBuffer(data) ? data.toString() : ''))
    const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()))
    socket.on('error', () => tally.add('errors'))
    await new Promise<void>((resolve) => void socket.once('open', () => resolve()).once('error', () => resolve()))
    // One in two signs in first.
    if (at % 40 === 0) socket.send(`40${json({ protocol: 1, token })}`)
    for (const frame of sent.slice(at, at + 20)) {
      if (socket.readyState !== WebSocket.OPEN) break
      socket.send(frame)
      tally.add('frames')
    }
    if (at % 400 === 0) socket.send(giant)
    setTimeout(() => socket.terminate(), 200)
    await closed
    tally.add('connections')
  }
  return tally.counts
}
