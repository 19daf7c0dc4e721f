import type { Attack } from '../attacker.ts'
import { floodConnections, type FloodRequest } from './flood-connections.ts'

const BURST = 100
/** The key that Alice has locked, and the room of Alice. */
const FOREIGN = 'user:alice:live'
const FOREIGN_ROOM = 'vault:alice'
const OWN = 'public:lock'
/** Apart from it: a request ends another one of the same connection that is still in flight. */
const QUEUED = 'public:queued'
/** Over `locks.maxInfoBytes`. */
const LARGE = 'x'.repeat(3_000)
/** What the record of a lock contains, in the hope that a message can set it. */
const FORGED = { owner: 'alice:alice-client', user: 'alice', clientId: 'alice-client', connectionId: 'alice', lease: '-', token: 2 ** 52 }

/** `count` differs for each request. */
type Payload = (count: number) => object

const REQUESTS: readonly (readonly [what: string, name: string, payload: Payload])[] = [
  ['acquire', 'lock:acquire', () => ({ key: OWN, request: 'r' })],
  ['queue', 'lock:acquire', (count) => ({ key: QUEUED, request: `q${count}`, waitMs: 60_000, ...FORGED })],
  ['lock', 'lock:acquire', (count) => ({ key: `public:lock:${count}`, request: 'r' })],
  ['cancel', 'lock:cancel', (count) => ({ key: QUEUED, request: `q${count - 2}` })],
  ['guessed release', 'lock:release', (count) => ({ ...FORGED, key: FOREIGN, token: Date.now() * 1_000 - count })],
  ['guessed cancel', 'lock:cancel', () => ({ key: FOREIGN, request: 'alice', ...FORGED })],
  ['foreign acquire', 'lock:acquire', () => ({ key: FOREIGN, request: 'r', ...FORGED })],
  ['foreign queue', 'lock:acquire', () => ({ key: FOREIGN, request: 'r', waitMs: 60_000 })],
  ['foreign force', 'lock:release', () => ({ key: FOREIGN, force: true })],
  ['foreign holder', 'lock:subscribe', () => ({ key: FOREIGN })],
  ['foreign holders', 'lock:subscribe', () => ({ prefix: 'user:' })],
  ['large info', 'lock:acquire', () => ({ key: OWN, request: 'r', info: LARGE })],
  ['unlocked write', 'storage:set', () => ({ key: 'public:1', value: 1, lock: { key: 'public:1', token: 1 } })],
  ['foreign write', 'storage:set', (count) => ({ key: FOREIGN, value: 1, lock: { key: FOREIGN, token: Date.now() * 1_000 - count } })],
  ['join', 'room:join', (count) => ({ room: `club:${count % 300}` })],
  ['lock in a room', 'lock:acquire', (count) => ({ key: `room:2:club:1:${count}`, request: 'r' })],
  ['leave', 'room:leave', (count) => ({ room: `club:${count % 300}` })],
  ['foreign join', 'room:join', () => ({ room: FOREIGN_ROOM, ...FORGED })],
  ['foreign key', 'lock:acquire', () => ({ key: `room:2:${FOREIGN_ROOM}:title`, request: 'r' })],
  ['other leave', 'room:leave', () => ({ room: FOREIGN_ROOM, ...FORGED })],
  [
    'bad join',
    'room:join',
    (count) => ({ room: ['*', `${FOREIGN_ROOM}:`, `$room:${FOREIGN_ROOM}`, '__proto__', '', FOREIGN_ROOM.repeat(50)][count % 6] }),
  ],
]

/** Locks and rooms: requests over their rates, sizes and numbers, in the names of others, and with tokens of others. */
export const lockFlood: Attack = (context) => {
  let count = 0
  const next = (): FloodRequest => {
    const [what, name, payload] = REQUESTS[count % REQUESTS.length] ?? ['', '', () => ({})]
    count += 1
    return { what, name, payload: payload(count) }
  }
  return floodConnections(context, { connections: 2, clientId: 'alice-client', burst: () => Array.from({ length: BURST }, next) })
}
