import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import { percentile } from '../measure/statistics.ts'
import { urlAt, type Deliveries, type Load, type LoadContext } from './load.ts'
import { settled } from './settled.ts'

/** Members of one room, spread over both instances; each observes the room. */
export interface PresencePlan {
  side: 'tutti' | 'adapter'
  members: number
}

/** Every member moves its cursor `rate` times a second. */
export interface MovesStretch {
  seconds: number
  rate: number
}

/** The results of a stretch. `perTick`: the most messages that a connection received per tick of 50 ms. */
export const PRESENCE_FIGURES = ['messages', 'perTick', 'p99Ms', 'elapsedMs'] as const

const TICK_MS = 50
const CONNECT_AT_ONCE = 50

interface Move {
  member: number
  n: number
  at: number
}

interface Member {
  socket: Socket
  /** Messages of the stretch. */
  messages: number
  sinceMs: number
  /** Newest move of each member. */
  newest: Map<number, number>
  ids: Set<string>
}

interface Change {
  joined?: { id: string }[]
}

/** Connects the members. They join with the first step. */
export async function createPresenceLoad(context: LoadContext, { side, members: count }: PresencePlan): Promise<Load> {
  const deliveries: Deliveries = { expected: 0, delivered: 0, doubled: 0 }
  // A room of its own: members of the load before stay in theirs until their grace has passed.
  const room = `bench:${randomUUID()}`
  const members: Member[] = []
  let delays: number[] = []

  const connect = async (index: number): Promise<void> => {
    const socket = io(urlAt(context, index), { transports: ['websocket'], reconnection: false, forceNew: true })
    const member: Member = { socket, messages: 0, sinceMs: 0, newest: new Map(), ids: new Set() }
    members.push(member)
    const show = ({ member: mover, n, at }: Move): void => {
      delays.push(performance.now() - at)
      member.newest.set(mover, n)
    }
    socket.on('presence:cursors', ({ cursors }: { cursors: Record<string, Move> }) => {
      member.messages += 1
      Object.values(cursors).forEach(show)
    })
    socket.on('presence:changed', ({ joined = [] }: Change) => {
      member.messages += 1
      for (const { id } of joined) member.ids.add(id)
    })
    socket.on('cursor', (move: Move) => {
      member.messages += 1
      show(move)
    })
    await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('connect_error', reject))
  }
  for (let from = 0; from < count; from += CONNECT_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(CONNECT_AT_ONCE, count - from) }, (_, index) => connect(from + index)))
  }

  const join = async (member: Member): Promise<void> => {
    member.messages = 0
    member.sinceMs = performance.now()
    if (side === 'adapter') return void (await member.socket.emitWithAck('subscribe', { keys: [room] }))
    member.socket.emit('presence:join', { room, info: null })
    const page = (await member.socket.emitWithAck('presence:subscribe', { room })) as { members: { id: string }[] }
    for (const { id } of page.members) member.ids.add(id)
  }
  /** Calls the step `times` times in `ms`, by the clock. */
  const paced = async (times: number, ms: number, step: (index: number) => void): Promise<void> => {
    const start = performance.now()
    for (let index = 0; index < times;) {
      const due = Math.min(times, 1 + Math.floor(((performance.now() - start) * times) / ms))
      while (index < due) step(index++)
      if (index < times) await delay(1)
    }
  }
  const figuresOf = (startMs: number): Record<(typeof PRESENCE_FIGURES)[number], number> => {
    const now = performance.now()
    const perTick = members.map(({ messages, sinceMs }) => messages / (2 + (now - Math.max(sinceMs, startMs)) / TICK_MS))
    return {
      messages: members.reduce((sum, { messages }) => sum + messages, 0),
      perTick: Math.max(...perTick),
      p99Ms: percentile(delays, 0.99),
      elapsedMs: now - startMs,
    }
  }
  const complete = async (countOpen: () => number): Promise<void> => {
    await settled(countOpen, 10_000)
    deliveries.expected += count * count
    deliveries.delivered += count * count - countOpen()
  }

  return {
    deliveries,
    steps: {
      /** All members join within so many seconds, until each shows all. */
      storm: async (seconds: number) => {
        const startMs = performance.now()
        const joins: Promise<void>[] = []
        await paced(count, seconds * 1_000, (index) => {
          const member = members[index]
          if (member !== undefined) joins.push(join(member))
        })
        await Promise.all(joins)
        if (side === 'tutti') await complete(() => members.reduce((sum, { ids }) => sum + count - ids.size, 0))
        delays = [0]
        return figuresOf(startMs)
      },
      /** Moves, until each member shows the last one of every member. */
      moves: async ({ seconds, rate }: MovesStretch) => {
        const startMs = performance.now()
        const perMember = Math.max(1, Math.round(seconds * rate))
        const event = side === 'tutti' ? 'presence:cursor' : 'cursor'
        delays = []
        for (const member of members) {
          member.messages = 0
          member.newest.clear()
        }
        await paced(perMember * count, seconds * 1_000, (index) => {
          const data: Move = { member: index % count, n: 1 + Math.floor(index / count), at: performance.now() }
          members[index % count]?.socket.emit(event, { room, data })
        })
        const missing = ({ newest }: Member): number => count - [...newest.values()].filter((n) => n === perMember).length
        await complete(() => members.reduce((sum, member) => sum + missing(member), 0))
        return figuresOf(startMs)
      },
    },
    close: () => {
      for (const { socket } of members) socket.disconnect()
    },
  }
}
