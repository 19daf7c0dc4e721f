import { isKey, RealtimeError, type JsonValue } from '@tutti/protocol'
import { parseOptions, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import { assertName } from '../assert-name.ts'
import { markHandled } from '../mark-handled.ts'
import { channelRecordsOf, type ChannelClient } from './channel-records.ts'
import type { DurableChannel, DurableChannelOptions } from './durable-channel-contract.ts'
import { publishDurable } from './publish-durable.ts'

const OPTIONS = { rewind: wholeNumber(0, 50, 1_000) } satisfies OptionRows<DurableChannelOptions>

/**
 * Shows a durable channel: its newest events, those that follow, and those of this client that are not yet acknowledged. Dispose of it
 * when it is no longer used.
 *
 * @throws {RealtimeError} `INVALID_CHANNEL`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const chat = durableChannel<Message>(client, 'chat:room1', { rewind: 20 })
 * chat.subscribe(({ records, pending }) => show(records, pending))
 */
export function durableChannel<Data = JsonValue>(
  client: ChannelClient,
  channel: string,
  options?: DurableChannelOptions,
): DurableChannel<Data>
export function durableChannel(client: ChannelClient, channel: string, options: DurableChannelOptions = {}): DurableChannel<JsonValue> {
  const { rewind } = parseOptions('durableChannel', OPTIONS, options)
  assertName(isKey, channel, 'INVALID_CHANNEL')
  if (client.internals.isClosed()) throw new RealtimeError('CLOSED')
  const records = channelRecordsOf(client, channel, rewind)
  const end = records.use(rewind)
  let disposed = false

  return {
    channel,
    get current() {
      return records.observable.current
    },
    subscribe: records.observable.subscribe,
    // Also to this client, so that the listeners of its other subscriptions receive it.
    publish: (data) => publishDurable(client, channel, data, { includeSelf: true }),
    loadMore: (limit = 50) => markHandled(records.loadMore(limit)),
    dispose: () => {
      if (disposed) return
      disposed = true
      end()
    },
  }
}
