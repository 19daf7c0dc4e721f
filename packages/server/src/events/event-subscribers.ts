import { patternsOf, RealtimeError } from '@tutti/protocol'
import type { Verdict } from '../authorization/authorization-cache.ts'
import type { Access } from '../authorization/authorize.ts'
import type { Connection } from '../connection/connection.ts'
import type { Core } from '../feature.ts'
import { channelOfRoom, channelRoom } from '../connection/subscription-rooms.ts'
import { hearingOf } from './hearing-of.ts'
import type { ServerEvent } from './server-events.ts'

/** Events of one channel that may wait for one answer; what comes after them is dropped. */
const MAX_WAITING = 1_000

interface Waiting {
  readonly events: ServerEvent[]
  /** More came than may wait. */
  isOver: boolean
}

/**
 * Who of this instance hears which channels and patterns. Who may hear each of a pattern's channels, once it is asked for,
 * stays out of the pattern's room: then every event is delivered only when its channel was allowed (X2).
 */
export class EventSubscribers {
  /** By pattern: who is asked for each channel. */
  private readonly asked = new Map<string, Set<Connection>>()
  /** Events that wait for the answer about their channel, in order (E4). */
  private readonly waiting = new Map<Connection, Map<string, Waiting>>()
  private readonly core: Core

  constructor(core: Core) {
    this.core = core
  }

  /** Throws `TOO_MANY_SUBSCRIPTIONS`. */
  add(connection: Connection, channel: string, verdict: Verdict | undefined): void {
    const room = channelRoom(channel)
    connection.subscriptions.add([room])
    const isAsked = verdict !== undefined && 'allow' in verdict && verdict.allow === 'each'
    if (isAsked) {
      connection.leave(room)
      if (connection.connected) this.asked.set(channel, (this.asked.get(channel) ?? new Set()).add(connection))
    } else {
      this.askNoMore(connection, channel)
      connection.join(room)
    }
  }

  delete(connection: Connection, channel: string): void {
    const room = channelRoom(channel)
    this.askNoMore(connection, channel)
    connection.leave(room)
    connection.subscriptions.delete(room)
  }

  /** What it is subscribed to. */
  heldBy(connection: Connection): Access[] {
    return [...connection.subscriptions.all].flatMap((room) => channelOfRoom(room) ?? []).map(hearingOf)
  }

  /** The answer about a subscription is another now. */
  apply(connection: Connection, { target }: Access, verdict: Verdict): void {
    const channel = 'pattern' in target ? target.pattern : 'channel' in target ? target.channel : undefined
    if (channel === undefined || !connection.subscriptions.has(channelRoom(channel))) return
    if ('refusal' in verdict) this.delete(connection, channel)
    else this.add(connection, channel, verdict)
  }

  /** The connection is gone. */
  leaveAll(connection: Connection): void {
    for (const pattern of [...this.asked.keys()]) this.askNoMore(connection, pattern)
    this.waiting.delete(connection)
  }

  /** Delivers to all who may hear it, each once; to those who are asked about, as soon as the answer is there. */
  deliver(event: ServerEvent, exceptConnection: string | undefined): void {
    const patterns = patternsOf(event.channel)
    const rooms = patterns.map(channelRoom)
    const except = exceptConnection === undefined ? [] : [exceptConnection]
    const allowed = this.asked.size === 0 ? [] : this.allowedNow(event, patterns, exceptConnection)
    this.core.fanOut.emit([...rooms, ...allowed], 'event:received', { channel: event.channel, data: event.data }, except)
  }

  /** Of those who are asked about, the ids of those who may hear it already. The event waits for the others. */
  private allowedNow(event: ServerEvent, patterns: readonly string[], exceptConnection: string | undefined): string[] {
    const asked = new Set(patterns.flatMap((pattern) => [...(this.asked.get(pattern) ?? [])]))
    return [...asked].flatMap((connection) => {
      if (connection.id === exceptConnection || this.hearsAnyway(connection, patterns)) return []
      const queue = this.waiting.get(connection)?.get(event.channel)
      if (queue !== undefined) {
        if (queue.events.length < MAX_WAITING) queue.events.push(event)
        else queue.isOver = true
        return []
      }
      const verdict = this.core.access.decide(connection, hearingOf(event.channel))
      if (verdict instanceof Promise) void this.wait(connection, event, verdict)
      return this.mayHear(verdict, event) ? [connection.id] : []
    })
  }

  private async wait(connection: Connection, event: ServerEvent, verdict: Promise<Verdict>): Promise<void> {
    const { channel } = event
    const queues = this.waiting.get(connection) ?? new Map<string, Waiting>()
    const queue: Waiting = { events: [event], isOver: false }
    this.waiting.set(connection, queues.set(channel, queue))
    const allowed = this.mayHear(await verdict, event)
    if (queue.isOver) this.report(new RealtimeError('OVERFLOW', { message: 'Events were dropped: `authorize` took too long.' }), event)
    queues.delete(channel)
    if (queues.size === 0 && this.waiting.get(connection) === queues) this.waiting.delete(connection)
    // It may have unsubscribed meanwhile, or be gone.
    const patterns = patternsOf(channel)
    if (!allowed || !connection.connected || !patterns.some((pattern) => this.isAsked(connection, pattern))) return
    for (const { data } of queue.events) connection.send('event:received', { channel, data })
  }

  private hearsAnyway(connection: Connection, patterns: readonly string[]): boolean {
    return patterns.some((pattern) => connection.subscriptions.has(channelRoom(pattern)) && !this.isAsked(connection, pattern))
  }

  private isAsked(connection: Connection, pattern: string): boolean {
    return this.asked.get(pattern)?.has(connection) === true
  }

  private askNoMore(connection: Connection, pattern: string): void {
    const connections = this.asked.get(pattern)
    if (connections?.delete(connection) === true && connections.size === 0) this.asked.delete(pattern)
  }

  private mayHear(verdict: Verdict | Promise<Verdict>, event: ServerEvent): boolean {
    // A refusal by a code is the application's word; anything else is a failure that nobody else hears of.
    if ('refusal' in verdict && !(verdict.refusal instanceof RealtimeError)) this.report(verdict.refusal, event)
    return 'allow' in verdict && verdict.allow === true
  }

  private report(error: unknown, { channel }: ServerEvent): void {
    this.core.onError(error, { stage: 'authorize', subject: channel })
  }
}
