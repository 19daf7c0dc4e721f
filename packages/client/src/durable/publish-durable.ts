import { isKey, jsonCopy, RealtimeError } from '@tutti/protocol'
import { flag, parseOptions, text, type OptionRows } from '@tutti/protocol/internal'
import { assertName } from '../assert-name.ts'
import type { RealtimeClient } from '../create-realtime-client.ts'
import { markHandled } from '../mark-handled.ts'
import { publishQueueOf } from './publish-queue.ts'

/** How an event is published on a durable channel. */
export interface DurablePublishOptions {
  /** This client receives it too, if it subscribed. @default false */
  includeSelf?: boolean | undefined
  /**
   * An event whose id is in the log is not appended again. At most 64 characters.
   *
   * @default a new id, so that this client can repeat the event
   */
  id?: string | undefined
}

const OPTIONS = { includeSelf: flag(undefined), id: text(undefined) } satisfies OptionRows<DurablePublishOptions>

let ids = 0

/**
 * Publishes on a durable channel. Without a connection, or while the server is not ready, the event waits; it is sent until it is
 * acknowledged, after the earlier ones of this client on the channel. Settles with its offset when it is in the log.
 *
 * @throws {RealtimeError} as a rejection: `OVERFLOW` (more than `maxPendingChanges` events wait), `INVALID_CHANNEL`, `INVALID_VALUE`,
 * `TOO_LARGE`, `FORBIDDEN`, `UNSUPPORTED` (the channel is not durable) and, once the client is closed, `CLOSED` or `OUTCOME_UNKNOWN`.
 *
 * @example
 * const offset = await publishDurable(client, 'orders', { item: 'Milk' })
 */
export const publishDurable = (
  { clientId, internals }: Pick<RealtimeClient, 'clientId' | 'internals'>,
  channel: string,
  data: unknown,
  options: DurablePublishOptions = {},
): Promise<string> =>
  // A caller that ignores the promise must not end a Node process.
  markHandled(
    new Promise((resolve, reject) => {
      const { includeSelf, id = `${clientId}-${(ids += 1)}` } = parseOptions('publishDurable', OPTIONS, options)
      if (internals.isClosed()) throw new RealtimeError('CLOSED')
      publishQueueOf(internals).add(assertName(isKey, channel, 'INVALID_CHANNEL'), {
        ...{ id, data: jsonCopy(data), includeSelf },
        done: (outcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.offset)),
      })
    }),
  )
