import { parseValue, RealtimeError, type JsonValue } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import type { TakenRecord } from '../group-contract.ts'

/** A record as a handler receives it. */
export interface WorkerRecord {
  readonly channel: string
  /** Grows with each record of the channel, also after the store lost its data. */
  readonly offset: number
  readonly data: JsonValue
}

/** How a record is delivered. */
export interface WorkerContext {
  /** 1 at the first delivery. */
  readonly attempt: number
  /** Aborted when the handler runs too long, when another worker has the record, and when the workers are closed. */
  readonly signal: AbortSignal
}

/** Processes a record. It fails by throwing or rejecting. It may run again for the same record. */
export type WorkerHandler = (record: WorkerRecord, context: WorkerContext) => unknown

/** A record whose handler runs. */
export interface RunningRecord {
  readonly taken: TakenRecord
  readonly token: string
  /** Settles when the handler has settled or its time is over: without an error where it succeeded. */
  readonly outcome: Promise<{ error?: Error }>
  /** Aborts the signal of the handler, whose outcome then does not count. */
  abort(reason: RealtimeError): void
  readonly isAborted: boolean
  /** Its outcome is not known yet. */
  readonly isRunning: boolean
}

/** Calls the handler. */
export function runRecord(taken: TakenRecord, token: string, handler: WorkerHandler, timeoutMs: number): RunningRecord {
  const controller = new AbortController()
  const { log: channel, offset, json, attempt } = taken
  const work = async (): Promise<{ error?: Error }> => {
    try {
      const parsed: unknown = JSON.parse(json)
      const data = parseValue(parsed)
      await handler({ channel, offset, data }, { attempt, signal: controller.signal })
      return {}
    } catch (error) {
      return { error: toError(error) }
    }
  }
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<{ error: Error }>((resolve) => {
    timer = setTimeout(() => {
      const error = new RealtimeError('UNAVAILABLE', { message: `The handler ran longer than ${timeoutMs} ms (handlerTimeoutMs).` })
      resolve({ error })
      controller.abort(error)
    }, timeoutMs)
  })
  let isAborted = false
  let isRunning = true
  return {
    taken,
    token,
    outcome: Promise.race([work(), timeout]).finally(() => {
      isRunning = false
      clearTimeout(timer)
    }),
    abort: (reason) => {
      isAborted = true
      controller.abort(reason)
    },
    get isAborted() {
      return isAborted
    },
    get isRunning() {
      return isRunning
    },
  }
}
