import { RealtimeError, type Notices } from '@tutti/protocol'
import { isPattern, patternsOf } from '@tutti/protocol/internal'
import type { Verdict } from '../authorization/authorization-cache.ts'
import type { Access } from '../authorization/authorize.ts'
import type { Connection } from '../connection/connection.ts'
import { channelOfRoom, channelRoom, channelRooms, logRoom } from '../connection/subscription-names.ts'
import type { Core } from '../feature.ts'

/** An event as clients receive it. */
export type ReceivedEvent = Notices['event:received']

/** Events of one channel that may wait for one verdict; later ones are dropped. */
const MAX_WAITING = 1_000

const OVERFLOW = `Events dropped: more than ${MAX_WAITING} were buffered while \`authorize\` was pending.`

interface WaitingEvents {
  readonly events: ReceivedEvent[]
  /** More came than may wait. */
  isOver: boolean
}

/** The connections of this instance that subscribe to channels and patterns. */
export interface EventSubscribers {
  /** Throws `TOO_MANY_SUBSCRIPTIONS`. */
  add(connection: Connection, channel: string, verdict: Verdict | undefined): void
  /** Counts the subscription of a connection that joins a room later. Throws `TOO_MANY_SUBSCRIPTIONS`. */
  reserve(connection: Connection, room: string): void
  /** Ends the subscription of a room. */
  delete(connection: Connection, room: string): void
  /** What the connection is subscribed to. */
  accessesOf(connection: Connection): Access[]
  /** The verdict on a subscription has changed. */
  apply(connection: Connection, access: Access, verdict: Verdict): void
  /** The connection is closed. */
  leaveAll(connection: Connection): void
  /** Delivers to all that may receive the event, each once; where the verdict is not known yet, as soon as it is. */
  deliver(event: ReceivedEvent, exceptConnections: readonly string[]): void
  /** Whether any connection subscribes to one of the channels or patterns. */
  hasReceivers(names: readonly string[]): boolean
}

/** To subscribe to a channel or pattern. */
export const subscribeAccess = (channel: string): Access => ({
  action: 'event:subscribe',
  target: isPattern(channel) ? { pattern: channel } : { channel },
})

/**
 * Makes the subscribers of one server. Connections that may receive some channels of a pattern only stay out of the pattern's
 * room: for them every event is delivered after its channel was authorized (X2).
 */
export function createEventSubscribers({ fanOut, access, onError }: Pick<Core, 'fanOut' | 'access' | 'onError'>): EventSubscribers {
  /** By pattern: the connections for which each channel is authorized. */
  const perChannel = new Map<string, Set<Connection>>()
  /** Events that wait for the verdict on their channel, in order (E4). */
  const waiting = new Map<Connection, Map<string, WaitingEvents>>()

  const isPerChannel = (connection: Connection, pattern: string): boolean => perChannel.get(pattern)?.has(connection) === true

  const endPerChannel = (connection: Connection, pattern: string): void => {
    const connections = perChannel.get(pattern)
    if (connections?.delete(connection) === true && connections.size === 0) perChannel.delete(pattern)
  }

  const receivesAnyway = (connection: Connection, patterns: readonly string[]): boolean =>
    patterns.some((pattern) => connection.subscriptions.has(channelRoom(pattern)) && !isPerChannel(connection, pattern))

  const report = (error: unknown, { channel }: ReceivedEvent): void => onError(error, { stage: 'authorize', subject: channel })

  const mayReceive = (verdict: Verdict | Promise<Verdict>, event: ReceivedEvent): boolean => {
    // A refusal with a code is the application's decision; anything else is a failure.
    if ('refusal' in verdict && !(verdict.refusal instanceof RealtimeError)) report(verdict.refusal, event)
    return 'allow' in verdict && verdict.allow === true
  }

  const deliverLater = async (connection: Connection, event: ReceivedEvent, verdict: Promise<Verdict>): Promise<void> => {
    const { channel } = event
    const queues = waiting.get(connection) ?? new Map<string, WaitingEvents>()
    const queue: WaitingEvents = { events: [event], isOver: false }
    waiting.set(connection, queues.set(channel, queue))
    const isAllowed = mayReceive(await verdict, event)
    if (queue.isOver) report(new RealtimeError('OVERFLOW', { message: OVERFLOW }), event)
    queues.delete(channel)
    if (queues.size === 0 && waiting.get(connection) === queues) waiting.delete(connection)
    // It may have unsubscribed meanwhile, or be closed.
    const isSubscribed = patternsOf(channel).some((pattern) => isPerChannel(connection, pattern))
    if (!isAllowed || !connection.connected || !isSubscribed) return
    for (const waited of queue.events) connection.send('event:received', waited)
  }

  /** Of the connections whose channels are authorized, the ids of those that may receive the event now. It waits for others. */
  const allowedNow = (event: ReceivedEvent, patterns: readonly string[], except: readonly string[]): string[] => {
    const durable = fanOut.idsIn(logRoom(event.channel))
    const connections = new Set(patterns.flatMap((pattern) => [...(perChannel.get(pattern) ?? [])]))
    return [...connections].flatMap((connection) => {
      if (except.includes(connection.id) || durable.has(connection.id) || receivesAnyway(connection, patterns)) return []
      const queue = waiting.get(connection)?.get(event.channel)
      if (queue !== undefined) {
        if (queue.events.length < MAX_WAITING) queue.events.push(event)
        else queue.isOver = true
        return []
      }
      const verdict = access.decide(connection, subscribeAccess(event.channel))
      if (verdict instanceof Promise) void deliverLater(connection, event, verdict)
      return mayReceive(verdict, event) ? [connection.id] : []
    })
  }

  const add: EventSubscribers['add'] = (connection, channel, verdict) => {
    const room = channelRoom(channel)
    connection.subscriptions.add([room])
    if (verdict !== undefined && 'allow' in verdict && verdict.allow === 'each') {
      connection.leave(room)
      if (connection.connected) perChannel.set(channel, (perChannel.get(channel) ?? new Set()).add(connection))
    } else {
      endPerChannel(connection, channel)
      connection.join(room)
    }
  }

  const remove: EventSubscribers['delete'] = (connection, room) => {
    endPerChannel(connection, channelOfRoom(room) ?? '')
    connection.leave(room)
    connection.subscriptions.delete(room)
  }

  return {
    add,
    reserve: (connection, room) => {
      connection.subscriptions.add([room])
      connection.leave(room)
    },
    delete: remove,
    accessesOf: ({ subscriptions }) =>
      [...new Set([...subscriptions.all].flatMap((room) => channelOfRoom(room) ?? []))].map(subscribeAccess),
    apply: (connection, { target }, verdict) => {
      const channel = 'pattern' in target ? target.pattern : 'channel' in target ? target.channel : undefined
      if (channel === undefined) return
      if ('refusal' in verdict) for (const room of channelRooms(channel)) remove(connection, room)
      // A channel has no other verdict that allows it.
      else if (isPattern(channel) && connection.subscriptions.has(channelRoom(channel))) add(connection, channel, verdict)
    },
    leaveAll: (connection) => {
      for (const pattern of [...perChannel.keys()]) endPerChannel(connection, pattern)
      waiting.delete(connection)
    },
    hasReceivers: (patterns) => patterns.some((pattern) => perChannel.has(pattern) || fanOut.hasReceivers(channelRoom(pattern))),
    deliver: (event, except) => {
      const patterns = patternsOf(event.channel)
      const allowed = perChannel.size === 0 ? [] : allowedNow(event, patterns, except)
      const rooms = event.offset === undefined ? patterns.map(channelRoom) : [logRoom(event.channel), ...patterns.map(channelRoom)]
      fanOut.emit([...rooms, ...allowed], 'event:received', event, except)
    },
  }
}
