import type { RequestName } from '../src/index.ts'
import {
  eventPublishSchema,
  eventSubscriptionSchema,
  getSchema,
  incrementSchema,
  patchMessageSchema,
  presenceCursorSchema,
  presenceJoinSchema,
  presenceLeaveSchema,
  presenceSubscriptionSchema,
  presenceUpdateSchema,
  removeSchema,
  setSchema,
  subscribeSchema,
  unsubscribeSchema,
} from '../src/schemas/index.ts'

/** The schema of each client message, by its event. */
export const requestSchemas = {
  'storage:get': getSchema,
  'storage:subscribe': subscribeSchema,
  'storage:unsubscribe': unsubscribeSchema,
  'storage:set': setSchema,
  'storage:remove': removeSchema,
  'storage:increment': incrementSchema,
  'storage:patch': patchMessageSchema,
  'event:subscribe': eventSubscriptionSchema,
  'event:unsubscribe': eventSubscriptionSchema,
  'event:publish': eventPublishSchema,
  'presence:join': presenceJoinSchema,
  'presence:update': presenceUpdateSchema,
  'presence:leave': presenceLeaveSchema,
  'presence:subscribe': presenceSubscriptionSchema,
  'presence:unsubscribe': presenceSubscriptionSchema,
  'presence:cursor': presenceCursorSchema,
} satisfies Record<RequestName, unknown>
