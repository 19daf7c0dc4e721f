export type { ErrorContext, MessageHandler, PubSub, PubSubOptions, PubSubStatus, Unsubscribe } from './contract.ts'
export { createMemoryBus, type MemoryBus, type MemoryBusMember } from './memory-bus.ts'
export { MemoryPubSub, type MemoryPubSubOptions } from './memory-pub-sub.ts'
export { RealtimePubSub, type RealtimePubSubOptions } from './realtime-pub-sub.ts'
