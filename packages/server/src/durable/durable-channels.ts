import type { AppendNotice, LogPosition, Logs } from '@tutti/coordination/logs'
import { matchesChannel } from '@tutti/protocol'
import { isPattern } from '@tutti/protocol/internal'
import type { Core } from '../feature.ts'
import { createDurableChannel, type DurableChannel, type DurableEvent } from './durable-channel.ts'

/** The durable channels of one instance. */
export interface DurableChannels {
  /** Settles when new events of all durable channels that a pattern matches are received here. */
  follow(pattern: string): Promise<void>
  /** The channel, from the end of its log. It is kept while `isUsed` returns true. */
  open(channel: string, logs: Logs): Promise<DurableChannel>
  close(): void
}

/** Time until a log is read again after a failure, milliseconds. */
const RETRY_MS = 1_000

/** What the channels need. */
export interface DurableChannelsOptions extends Pick<Core, 'onError'> {
  rows: readonly Logs[]
  /** How long it takes to compare all open channels with their logs, milliseconds; 0: never. */
  intervalMs: number
  /** Whether a channel has subscribers of its own here. */
  isUsed: (channel: string) => boolean
  /** Whether any subscriber here, also of a pattern, receives the events of a channel. */
  hasReceivers: (channel: string) => boolean
  deliver: (channel: string, event: DurableEvent) => void
  onGap: (channel: string, from: LogPosition, to: LogPosition) => void
}

/**
 * Makes the channels. A row is subscribed when its first subscriber comes. A channel with subscribers of its own has a position, so no
 * event is left out; the others, for subscribers of patterns, deliver what arrives.
 */
export function createDurableChannels(options: DurableChannelsOptions): DurableChannels {
  const { rows, intervalMs, isUsed, hasReceivers, deliver, onGap, onError } = options
  const followed = new Map<Logs, Promise<void>>()
  const open = new Map<string, DurableChannel>()
  const stops = new Set<() => void>()
  /** Channels whose last read failed. */
  const behind = new Set<string>()
  let retry: NodeJS.Timeout | undefined

  const report = (error: unknown, channel: string): void => onError(error, { stage: 'durable', subject: channel })

  const create = (name: string, logs: Logs, start: LogPosition | undefined): DurableChannel => {
    const channel = createDurableChannel({
      ...{ name, logs, start },
      deliver: (event) => deliver(name, event),
      onGap: (from, to) => onGap(name, from, to),
      onBehind: () => {
        behind.add(name)
        retry ??= setTimeout(checkAgain, RETRY_MS).unref()
      },
      onError: (error) => report(error, name),
    })
    open.set(name, channel)
    channel.opened.catch(() => {
      if (open.get(name) === channel) open.delete(name)
    })
    return channel
  }
  const receive = (logs: Logs, notice: AppendNotice): void => {
    const { log: name, epoch, previous } = notice
    const known = open.get(name)
    if (known === undefined && !hasReceivers(name)) return
    const channel = known ?? create(name, logs, { epoch, offset: previous })
    channel.receive(notice)
    if (isUsed(name)) return
    // Without subscribers of its own, it is kept only until its read has ended.
    const forget = (): void => {
      if (open.get(name) === channel && !isUsed(name)) open.delete(name)
    }
    if (channel.reading === undefined) forget()
    else channel.reading.then(forget, forget)
  }
  const checkAll = async (): Promise<void> => {
    for (const [name, channel] of open) {
      if (!isUsed(name)) open.delete(name)
      else await channel.check().catch((error) => report(error, name))
    }
  }
  const checkAgain = (): void => {
    retry = undefined
    const names = [...behind]
    behind.clear()
    for (const name of names)
      if (isUsed(name))
        open
          .get(name)
          ?.check()
          .catch((error) => report(error, name))
  }
  const followRow = (logs: Logs): Promise<void> => {
    const subscription = logs.onAppend((notice) => receive(logs, notice))
    const stopGap = logs.onGap(() => void checkAll())
    const stop = (): void => {
      subscription()
      stopGap()
    }
    stops.add(stop)
    // The next subscriber subscribes it again.
    subscription.ready.catch(() => stops.delete(stop) && stop())
    return subscription.ready
  }
  const ready = (logs: Logs): Promise<void> => {
    const known = followed.get(logs) ?? followRow(logs)
    followed.set(logs, known)
    known.catch(() => followed.delete(logs))
    return known
  }
  const overlaps = (pattern: string, other: string): boolean =>
    matchesChannel(pattern, isPattern(other) ? other.slice(0, -1) : other) ||
    matchesChannel(other, isPattern(pattern) ? pattern.slice(0, -1) : pattern)

  let timer: NodeJS.Timeout | undefined
  if (intervalMs > 0 && rows.length > 0) {
    timer = setInterval(() => void checkAll(), intervalMs)
    timer.unref()
  }

  return {
    follow: async (pattern) => void (await Promise.all(rows.filter((logs) => overlaps(logs.pattern, pattern)).map(ready))),
    open: async (name, logs) => {
      await ready(logs)
      const channel = open.get(name) ?? create(name, logs, undefined)
      await channel.opened
      return channel
    },
    close: () => {
      clearInterval(timer)
      clearTimeout(retry)
      for (const stop of stops) stop()
      open.clear()
    },
  }
}
