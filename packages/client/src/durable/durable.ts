export { durableChannel } from './durable-channel.ts'
export type { ChannelGap, ChannelRecord, ChannelSnapshot, DurableChannel, DurableChannelOptions } from './durable-channel-contract.ts'
export {
  subscribeDurable,
  type DurableEventContext,
  type DurableListener,
  type DurableSubscribeOptions,
  type OffsetStorage,
} from './subscribe-durable.ts'
export { publishDurable, type DurablePublishOptions } from './publish-durable.ts'
export { readHistory, type HistoryOptions, type HistoryPage } from './read-history.ts'
export type { PendingEvent } from './publish-queue.ts'
