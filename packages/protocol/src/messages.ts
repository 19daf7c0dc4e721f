import type { InferOutput } from 'valibot'
import type { Entry } from './entry.ts'
import type { JsonObject, JsonValue } from './json.ts'
import type { Limits } from './limits.ts'
import type { WireError } from './realtime-error.ts'
import type { eventPublishSchema, eventSubscriptionSchema } from './schemas/events.ts'
import type { handshakeSchema } from './schemas/handshake.ts'
import type * as storage from './schemas/storage.ts'
import type { mutationSchema } from './schemas/values.ts'

/** The data that a client sends when it connects. */
export type Handshake = InferOutput<typeof handshakeSchema>

/** The number of one mutation of one client on one key (S12). */
export type MutationId = InferOutput<typeof mutationSchema>

/** Entries. For a prefix with a further page, also the last key of this page. */
export interface EntryPage {
  entries: Entry[]
  after?: string | undefined
}

/**
 * The requests of clients and their results: event name → payload and result. The only table of messages from client to server.
 */
export interface Requests {
  'storage:get': { payload: InferOutput<typeof storage.getSchema>; result: Entry }
  'storage:subscribe': { payload: InferOutput<typeof storage.subscribeSchema>; result: EntryPage }
  'storage:unsubscribe': { payload: InferOutput<typeof storage.unsubscribeSchema>; result: object }
  'storage:set': { payload: InferOutput<typeof storage.setSchema>; result: { version: number } }
  'storage:remove': { payload: InferOutput<typeof storage.removeSchema>; result: { version: number } }
  'storage:increment': { payload: InferOutput<typeof storage.incrementSchema>; result: { value: number; version: number } }
  'storage:patch': { payload: InferOutput<typeof storage.patchMessageSchema>; result: { version: number; base: number } }
  'event:subscribe': { payload: InferOutput<typeof eventSubscriptionSchema>; result: object }
  'event:unsubscribe': { payload: InferOutput<typeof eventSubscriptionSchema>; result: object }
  'event:publish': { payload: InferOutput<typeof eventPublishSchema>; result: object }
}

/** The name of a client message. */
export type RequestName = keyof Requests

/** The reply to every client message: its result, or an error with a code. */
export type Reply<Result extends object = object> = ({ ok: true } & Result) | { ok: false; error: WireError }

/** A change of one key as a patch of the version before it (S8). */
export interface PatchUpdate {
  key: string
  version: number
  base: number
  patch: JsonObject
}

/** `storage:updated`: the entry, or a patch if that is smaller. `reset`: it replaces any version that the client has (S3). */
export type StateUpdate = (Entry | PatchUpdate) & { reset?: true }

/** The part of a connection that ended: one subscription, or the connection itself. */
export type RevokedTarget = { key: string } | { prefix: string } | { channel: string } | { connection: true }

/** The messages of servers: event name → payload. The only table of messages from server to client. */
export interface Notices {
  'server:hello': { protocol: number; instance: string; limits: Limits }
  'server:draining': { reconnectAfterMs: number }
  'server:status': { degraded: boolean }
  'server:revoked': { target: RevokedTarget; error: WireError }
  'storage:updated': StateUpdate
  'event:received': { channel: string; data: JsonValue }
}

/** The name of a server message. */
export type NoticeName = keyof Notices

/** `Requests` as Socket.IO types its events. */
export type ClientToServerEvents = {
  [Name in RequestName]: (payload: Requests[Name]['payload'], acknowledge: (reply: Reply<Requests[Name]['result']>) => void) => void
}

/** `Notices` as Socket.IO types its events. */
export type ServerToClientEvents = { [Name in NoticeName]: (payload: Notices[Name]) => void }
