import { RealtimeError, type JsonValue, type Requests } from '@tutti/protocol'
import type { ModelLink } from './model-server.ts'

type EventName = `event:${'subscribe' | 'unsubscribe' | 'publish' | 'history'}`

export type EventRequest = { [Name in EventName]: { name: Name; payload: Requests[Name]['payload'] } }[EventName]

interface ModelRecord {
  readonly offset: number
  readonly data: JsonValue
  readonly id: string | undefined
  readonly author: string
  readonly includeSelf: boolean
}

/** The durable channels of a server in memory. */
export interface ModelLog {
  /** The data in the log of a channel, in order. */
  data(channel: string): JsonValue[]
  offsets(channel: string): string[]
  handle(link: ModelLink, request: EventRequest): object
  /** Sends the pages that follow a reply. */
  afterReply(): void
  /** Removes the oldest records. */
  trim(channel: string, count: number): void
}

const PAGE = 3

export function createModelLog(openLinks: () => ModelLink[]): ModelLog {
  const logs = new Map<string, ModelRecord[]>()
  const trimmed = new Map<string, number>()
  const subscribed = new WeakMap<ModelLink, Set<string>>()
  let last = 0
  let after = (): void => {}

  const logOf = (channel: string): ModelRecord[] => logs.get(channel) ?? []
  const authorOf = ({ handshake }: ModelLink): string => String(handshake['clientId'])
  const textOf = (offset: number): string => `1-${offset.toString(36)}`
  const numberOf = (offset: string): number => Number.parseInt(offset.split('-')[1] ?? '', 36)

  const publish = (link: ModelLink, { channel, data, includeSelf = false, id }: Requests['event:publish']['payload']): object => {
    const known = logOf(channel).find((record) => id !== undefined && record.id === id)
    if (known !== undefined) return { offset: textOf(known.offset) }
    const record = { offset: (last += 1), data, id, author: authorOf(link), includeSelf }
    logs.set(channel, [...logOf(channel), record])
    for (const other of openLinks()) {
      if (subscribed.get(other)?.has(channel) !== true || (authorOf(other) === record.author && !includeSelf)) continue
      other.notify({ name: 'event:received', payload: { channel, data, offset: textOf(record.offset) } })
    }
    return { offset: textOf(record.offset) }
  }
  const subscribe = (link: ModelLink, { channel, offset, rewind = 0, skipOwn }: Requests['event:subscribe']['payload']): object => {
    const log = logOf(channel)
    const end = log.at(-1)?.offset ?? 0
    const first = (log.length > rewind ? log.at(-rewind - 1)?.offset : undefined) ?? 0
    let start = offset === undefined ? (rewind > 0 ? first : end) : numberOf(offset)
    const reply = { offset: textOf(start) }
    subscribed.set(link, (subscribed.get(link) ?? new Set()).add(channel))
    after = () => {
      const floor = trimmed.get(channel) ?? 0
      if (start < floor) {
        link.notify({ name: 'event:gap', payload: { channel, from: textOf(start), offset: textOf(floor) } })
        start = floor
      }
      const missed = log.filter((record) => record.offset > start)
      const shown = missed.filter((record) => !(skipOwn === true && record.author === authorOf(link) && !record.includeSelf))
      for (let place = 0; place < shown.length; place += PAGE) {
        const events = shown.slice(place, place + PAGE).map((record) => ({ offset: record.offset.toString(36), data: record.data }))
        const more = place + PAGE < shown.length ? { more: true as const } : {}
        link.notify({ name: 'event:replayed', payload: { channel, epoch: '1', events, ...more } })
      }
    }
    return reply
  }
  const history = ({ channel, before, limit = 100 }: Requests['event:history']['payload']): object => {
    const end = before === undefined ? Infinity : numberOf(before)
    if (end <= (trimmed.get(channel) ?? 0)) throw new RealtimeError('GAP')
    const older = logOf(channel).filter(({ offset }) => offset < end)
    const events = older.slice(-limit).map(({ offset, data }) => ({ offset: textOf(offset), data }))
    return { events, ...(older.length > events.length ? { before: events[0]?.offset } : {}) }
  }

  return {
    data: (channel) => logOf(channel).map(({ data }) => data),
    offsets: (channel) => logOf(channel).map(({ offset }) => textOf(offset)),
    handle: (link, request) => {
      if (!request.payload.channel.startsWith('chat:')) throw new RealtimeError('UNSUPPORTED')
      if (request.name === 'event:publish') return publish(link, request.payload)
      if (request.name === 'event:subscribe') return subscribe(link, request.payload)
      if (request.name === 'event:history') return history(request.payload)
      subscribed.get(link)?.delete(request.payload.channel)
      return {}
    },
    afterReply: () => {
      after()
      after = () => {}
    },
    trim: (channel, count) => {
      const gone = logOf(channel).slice(0, count)
      logs.set(channel, logOf(channel).slice(count))
      trimmed.set(channel, gone.at(-1)?.offset ?? 0)
    },
  }
}
