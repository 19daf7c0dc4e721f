import { isKey, RealtimeError, type JsonValue } from '@tutti/protocol'
import { parseOptions, text, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import { assertName } from '../assert-name.ts'
import type { RealtimeClient } from '../create-realtime-client.ts'
import { markHandled } from '../mark-handled.ts'

/** Which part of a log is read. */
export interface HistoryOptions {
  /** The offset before which events are read. Without it, the newest events are read. */
  before?: string | undefined
  /** Maximum number of events, 1 to 100. @default 100 */
  limit?: number | undefined
}

const MOST = 100
const OPTIONS = { before: text(undefined), limit: wholeNumber(1, MOST, MOST) } satisfies OptionRows<HistoryOptions>

/** Events in the order of the log. */
export interface HistoryPage<Data = JsonValue> {
  readonly events: readonly { readonly offset: string; readonly data: Data }[]
  /** The option of the next page; absent where there are no older events. */
  readonly before?: string | undefined
}

/**
 * Reads a page of a durable channel's log.
 *
 * @throws {RealtimeError} as a rejection: `GAP` where `before` is no longer in the log, `UNAVAILABLE`, `FORBIDDEN`, `UNSUPPORTED`,
 * `INVALID_CHANNEL`, `OUTCOME_UNKNOWN`, `CLOSED`.
 *
 * @example
 * const { events, before } = await readHistory(client, 'orders', { limit: 20 })
 */
export const readHistory = <Data = JsonValue>(
  { internals }: Pick<RealtimeClient, 'internals'>,
  channel: string,
  options: HistoryOptions = {},
): Promise<HistoryPage<Data>> =>
  markHandled(
    new Promise((resolve, reject) => {
      const { before, limit } = parseOptions('readHistory', OPTIONS, options)
      if (internals.isClosed()) throw new RealtimeError('CLOSED')
      const message = { channel: assertName(isKey, channel, 'INVALID_CHANNEL'), before, limit }
      internals.connection.request('event:history', message, ({ result, error }) => {
        if (error) return reject(error)
        // The application declares the data of its channels.
        resolve(result as { events: { data: Data & JsonValue; offset: string }[]; before?: string })
      })
    }),
  )
