import type { AppendNotice, LogPosition, Logs } from '@tutti/coordination/logs'
import type { JsonValue } from '@tutti/protocol'

/** An event of a durable channel. */
export interface DurableEvent extends LogPosition {
  readonly data: JsonValue
  readonly author?: string | undefined
  readonly includeSelf?: boolean | undefined
}

/** One durable channel on this instance: how far its events were delivered here. */
export interface DurableChannel {
  /** Where the delivery is. Known once `opened` has settled. */
  readonly position: LogPosition
  /** Settles when events that are appended from now on are delivered. */
  readonly opened: Promise<void>
  /** A notification has arrived. */
  receive(notice: AppendNotice): void
  /** Reads and delivers what is in the log after the position. */
  check(): Promise<void>
  /** Settles when the present read ends; `undefined` without one. */
  readonly reading: Promise<void> | undefined
}

/** What a channel needs. */
export interface DurableChannelOptions {
  name: string
  logs: Logs
  /** Where it begins: `undefined` for the end of the log. */
  start: LogPosition | undefined
  deliver: (event: DurableEvent) => void
  /** Events between the two may be lost. */
  onGap: (from: LogPosition, to: LogPosition) => void
  /** A read failed: something may be in the log that was not delivered. */
  onBehind: () => void
  onError: (error: unknown) => void
}

/**
 * Follows one channel. A notification whose `previous` is the position is the next event. Any other one shows that notifications were
 * lost: then the log is read from the position, once at a time.
 */
export function createDurableChannel({ name, logs, start, deliver, onGap, onBehind, onError }: DurableChannelOptions): DurableChannel {
  let position: LogPosition = start ?? { epoch: 0, offset: 0 }
  let reading: Promise<void> | undefined
  /** Something was appended that the present read may not contain. */
  let isBehind = false
  let isOpen = start !== undefined

  const advance = (event: DurableEvent): void => {
    position = { epoch: event.epoch, offset: event.offset }
    deliver(event)
  }
  const readOn = async (): Promise<void> => {
    let isAtEnd = false
    while (isBehind || !isAtEnd) {
      isBehind = false
      const { epoch, records, from, last, hasGap } = await logs.read(name, position)
      if (hasGap) {
        const next = { epoch, offset: from }
        onGap(position, next)
        position = next
      }
      for (const { json, offset, author, includeSelf } of records) {
        advance({ epoch, offset, data: dataOf(json, onError), author, includeSelf })
      }
      isAtEnd = position.offset === last
    }
  }
  const check = (): Promise<void> => {
    isBehind = true
    reading ??= readOn()
      .catch((error: unknown) => {
        onBehind()
        throw error
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  const open = async (): Promise<void> => {
    if (start !== undefined) return
    position = await logs.head(name)
    // What was appended meanwhile is after that position, or part of it.
    if (isBehind) await check()
  }
  const opening = open()
  opening.then(
    () => (isOpen = true),
    () => {},
  )

  return {
    get position() {
      return position
    },
    opened: opening,
    receive: ({ epoch, offset, previous, json, author, includeSelf }) => {
      if (!isOpen || reading !== undefined) {
        isBehind = true
        return
      }
      if (epoch === position.epoch && offset <= position.offset) return
      if (epoch === position.epoch && previous === position.offset && json !== undefined) {
        return advance({ epoch, offset, data: dataOf(json, onError), author, includeSelf })
      }
      check().catch(onError)
    },
    check,
    get reading() {
      return reading
    },
  }
}

/** The data of a record. What is no JSON was appended by another program. */
export function dataOf(json: string, onError: (error: unknown) => void): JsonValue {
  try {
    return JSON.parse(json) as JsonValue
  } catch (error) {
    onError(error)
    return null
  }
}
