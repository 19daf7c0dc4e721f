export { eventHistorySchema, eventPublishSchema, eventSubscribeSchema, eventUnsubscribeSchema } from './events.ts'
export {
  documentAwarenessSchema,
  documentCloseSchema,
  documentOpenSchema,
  documentPageSchema,
  documentPartSchema,
  documentSaveVersionSchema,
  documentUpdateSchema,
  documentVersionSchema,
} from './documents.ts'
export { handshakeSchema } from './handshake.ts'
export { lockAcquireSchema, lockCancelSchema, lockReleaseSchema, lockSubscriptionSchema } from './locks.ts'
export { parseMessage, type MessageSchema } from './parse-message.ts'
export {
  presenceCursorSchema,
  presenceJoinSchema,
  presenceLeaveSchema,
  presenceSubscriptionSchema,
  presenceUpdateSchema,
} from './presence.ts'
export { relayedEventSchema, revocationSchema } from './relay.ts'
export { roomCommandSchema, roomJoinSchema, roomLeaveSchema, roomResultSchema } from './rooms.ts'
export { getSchema, incrementSchema, patchMessageSchema, removeSchema, setSchema, subscribeSchema, unsubscribeSchema } from './storage.ts'
