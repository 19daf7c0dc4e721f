export type { ErrorContext, MessageHandler, PubSub, PubSubOptions, PubSubStatus, Unsubscribe } from './contract.ts'
export { RealtimePubSub, type RealtimePubSubOptions } from './realtime-pub-sub.ts'
