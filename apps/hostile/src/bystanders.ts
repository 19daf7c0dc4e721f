import { setTimeout as wait } from 'node:timers/promises'
import { performance } from 'node:perf_hooks'
import type { PresenceChange, Reply, StateUpdate } from '@tutti/protocol'
import { io, type Socket } from 'socket.io-client'
import { FORBIDDEN_CHANNELS } from './hostile-names.ts'
import { tokenOf } from './tokens.ts'

const KEY = 'shared:latency'
/** A room that only Alice may join and observe. */
const ROOM = 'user:alice:live'
/** A key that Alice has locked. */
const LOCKED = 'user:alice:live'

/** Legitimate clients: Alice writes on one instance, Bob receives on the other. */
export interface Bystanders {
  /** The latencies from Alice's write to Bob's update, milliseconds; throws if a change never arrives, or the room of Alice contains something of another client, or not Alice. */
  measure(samples: number): Promise<number[]>
  /** What is wrong with the lock and the room of Alice, in words. */
  damage(): Promise<string[]>
  /** Alice writes with the client ID of Alice and number 1, which an attacker may have used before; returns the stored value. */
  writeAsAlice(key: string): Promise<unknown>
  close(): void
}

/** Connects them. The data that only Alice may read contains the canary. */
export async function connectBystanders(urls: readonly string[], canary: string): Promise<Bystanders> {
  const alice = await connect(urls[0], 'alice')
  const bob = await connect(urls[1], 'bob')
  let received = (_update: StateUpdate): void => {}
  bob.on('storage:updated', (update: StateUpdate) => received(update))
  await request(bob, 'storage:subscribe', { keys: [{ key: KEY }] })
  await request(alice, 'presence:join', { room: ROOM, info: canary })
  await request(alice, 'presence:subscribe', { room: ROOM })
  await request(alice, 'room:join', { room: 'vault:alice' })
  const token = await tokenOfLock(alice)
  let [messages, losses] = [0, 0]
  alice.on('room:received', () => (messages += 1))
  alice.on('lock:changed', () => (losses += 1))
  let strangers = 0
  alice.on('presence:changed', ({ joined = [], left = [] }: PresenceChange) => {
    strangers += joined.filter(({ user }) => user !== 'alice').length + left.length
  })
  alice.on('presence:cursors', ({ cursors }: { cursors: Record<string, unknown> }) => {
    strangers += Object.values(cursors).filter((data) => !Array.isArray(data) || data[0] !== canary).length
  })
  let count = 0

  const once = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const value = ++count
      const start = performance.now()
      const timer = setTimeout(() => reject(new Error(`Change ${value} of an honest client never came.`)), 20_000)
      received = (update) => {
        if (!('value' in update) || update.value !== value) return
        clearTimeout(timer)
        resolve(performance.now() - start)
      }
      request(alice, 'storage:set', { key: KEY, value }).catch(reject)
      if (value % 10 > 0) return
      request(alice, 'storage:set', { key: LOCKED, value: [canary, value], lock: { key: LOCKED, token } }).catch(reject)
      for (const channel of FORBIDDEN_CHANNELS.slice(0, 1))
        request(alice, 'event:publish', { channel, data: [canary, value] }).catch(reject)
      request(alice, 'presence:update', { room: ROOM, info: [canary, value] }).catch(reject)
      request(alice, 'presence:cursor', { room: ROOM, data: [canary, value] }).catch(reject)
    })

  return {
    measure: async (samples) => {
      const latencies: number[] = []
      while (latencies.length < samples) {
        latencies.push(await once())
        // At the pace of a user, not as fast as possible.
        await wait(5)
      }
      if (strangers > 0) throw new Error(`${strangers} changes of another client in a room of Alice alone.`)
      return latencies
    },
    damage: async () => [
      ...(messages > 0 ? [] : ['No message reached the room of Alice.']),
      ...(losses === 0 && (await tokenOfLock(alice)) === token ? [] : ['Alice has lost a lock.']),
    ],
    writeAsAlice: async (key) => {
      await request(alice, 'storage:set', { key, value: 'hers', mutation: { number: 1, clientId: 'alice-client' } })
      const entry = await request(alice, 'storage:get', { key })
      return 'value' in entry ? entry.value : undefined
    },
    close: () => {
      alice.disconnect()
      bob.disconnect()
    },
  }
}

async function tokenOfLock(socket: Socket): Promise<unknown> {
  const result = await request(socket, 'lock:acquire', { key: LOCKED, request: 'alice', info: 'secret' })
  return 'token' in result ? result.token : undefined
}

async function connect(url: string | undefined, id: string): Promise<Socket> {
  const auth = { protocol: 1, clientId: `${id}-client`, token: await tokenOf(id) }
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true, auth })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject))
  return socket
}

function request(socket: Socket, name: string, payload: unknown): Promise<object> {
  return new Promise((resolve, reject) => {
    socket.emit(name, payload, (reply: Reply) => {
      if (reply.ok) resolve(reply)
      else reject(new Error(`An honest client was refused: ${name} ${reply.error.code}`))
    })
  })
}

/** The 95th percentile. */
export const p95 = (latencies: readonly number[]): number =>
  latencies.toSorted((one, other) => one - other)[Math.floor(latencies.length * 0.95)] ?? NaN
