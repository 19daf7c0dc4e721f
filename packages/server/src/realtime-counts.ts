import type { ErrorCode } from '@tutti/protocol'

/** What happened on this instance since it began. */
export interface RealtimeCounts {
  /** Connections that were closed because they did not read what was sent. */
  readonly slowConsumers: number
  /** Connections that were closed because they continued with requests above their rate. */
  readonly floods: number
  /** Requests and tries to connect that were refused, by code. */
  readonly refusals: Readonly<Partial<Record<ErrorCode, number>>>
  /** Messages from Redis that were dropped because no instance could have sent them. */
  readonly droppedMessages: number
}

/** Counts for one server. */
export class Counts implements RealtimeCounts {
  slowConsumers = 0
  floods = 0
  readonly refusals: Partial<Record<ErrorCode, number>> = {}
  private readonly dropped: () => number

  /** `dropped`: what pubsub and store have dropped so far. */
  constructor(dropped: () => number) {
    this.dropped = dropped
  }

  get droppedMessages(): number {
    return this.dropped()
  }

  /** A request or a try to connect was refused. */
  addRefusal(code: ErrorCode): void {
    this.refusals[code] = (this.refusals[code] ?? 0) + 1
  }
}
