import type { InferOutput } from 'valibot'
import type { Entry } from './entry.ts'
import type { JsonObject, JsonValue } from './json.ts'
import type { Limits } from './limits.ts'
import type { WireError } from './realtime-error.ts'
import type {
  AwarenessState,
  DocumentChangePage,
  DocumentContent,
  DocumentVersionPage,
  OpenedDocument,
  WireBytes,
} from './document-messages.ts'
import type * as documents from './schemas/documents.ts'
import type * as events from './schemas/events.ts'
import type { handshakeSchema } from './schemas/handshake.ts'
import type * as locks from './schemas/locks.ts'
import type * as presence from './schemas/presence.ts'
import type * as rooms from './schemas/rooms.ts'
import type * as storage from './schemas/storage.ts'
import type { mutationSchema } from './schemas/values.ts'

/** The data that a client sends when it connects. */
export type Handshake = InferOutput<typeof handshakeSchema>

/** The number of one mutation of one client on one key. */
export type MutationId = InferOutput<typeof mutationSchema>

/** Entries. For a prefix with a further page, also the last key of this page. */
export interface EntryPage {
  entries: Entry[]
  after?: string | undefined
}

/** One client in the presence of a room. */
export interface WireMember {
  /** Random, made at the first join. It names neither the client nor the connection. */
  id: string
  /** Id of the user; '' without one. */
  user: string
  info: JsonValue
}

/** The members of a room, up to 500 (the others follow in `presence:changed`), and their number; with `count` the number only. */
export interface PresencePage {
  members?: WireMember[]
  count: number
  /** How long members that were present before may still be missing, milliseconds: a client keeps those that it shows. */
  settlingMs?: number
}

/** `presence:changed`: the newest state of each member that changed since the last one. `count` includes members that are not listed. */
export interface PresenceChange {
  room: string
  joined?: WireMember[]
  updated?: WireMember[]
  left?: string[]
  count: number
}

/** The grant of a lock that a write is bound to. */
export type LockBinding = InferOutput<typeof locks.lockBindingSchema>

/** The client that has a lock. */
export interface WireHolder {
  /** Id of the user; '' without one. */
  user: string
  info: JsonValue
}

/** The locks that are subscribed to and have a holder. */
export interface LockPage {
  locks: { key: string; holder: WireHolder }[]
}

/** `lock:changed`: without a holder the lock has ended. `lost`, the token, is sent to the former holder only. */
export interface LockChange {
  key: string
  holder?: WireHolder
  lost?: number
}

/** An event of a durable channel. */
export interface LoggedEvent {
  data: JsonValue
  offset: string
}

/** Events in the order of the log. `before`: there are older ones, which a request with it returns. */
export interface EventHistory {
  events: LoggedEvent[]
  before?: string
}

/**
 * `event:replayed`: missed events of a durable channel, in order. The offset of an event is `<epoch>-<offset>`. With `more` another
 * page follows; without it, new events follow as `event:received`.
 */
export interface EventReplay {
  channel: string
  epoch: string
  events: LoggedEvent[]
  more?: true
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
  'event:subscribe': { payload: InferOutput<typeof events.eventSubscribeSchema>; result: { offset?: string } }
  'event:unsubscribe': { payload: InferOutput<typeof events.eventUnsubscribeSchema>; result: object }
  'event:publish': { payload: InferOutput<typeof events.eventPublishSchema>; result: { offset?: string } }
  'event:history': { payload: InferOutput<typeof events.eventHistorySchema>; result: EventHistory }
  'document:open': { payload: InferOutput<typeof documents.documentOpenSchema>; result: OpenedDocument }
  'document:close': { payload: InferOutput<typeof documents.documentCloseSchema>; result: object }
  'document:update': { payload: InferOutput<typeof documents.documentUpdateSchema>; result: { offset: string } }
  'document:part': { payload: InferOutput<typeof documents.documentPartSchema>; result: { bytes?: WireBytes; last?: true } }
  'document:awareness': { payload: InferOutput<typeof documents.documentAwarenessSchema>; result: object }
  'document:versions': { payload: InferOutput<typeof documents.documentPageSchema>; result: DocumentVersionPage }
  'document:version': { payload: InferOutput<typeof documents.documentVersionSchema>; result: DocumentContent }
  'document:save': { payload: InferOutput<typeof documents.documentSaveVersionSchema>; result: { id: number } }
  'document:restore': { payload: InferOutput<typeof documents.documentVersionSchema>; result: { offset: string } }
  'document:remove': { payload: InferOutput<typeof documents.documentVersionSchema>; result: object }
  'document:history': { payload: InferOutput<typeof documents.documentPageSchema>; result: DocumentChangePage }
  'presence:join': { payload: InferOutput<typeof presence.presenceJoinSchema>; result: { id: string } }
  'presence:update': { payload: InferOutput<typeof presence.presenceUpdateSchema>; result: object }
  'presence:leave': { payload: InferOutput<typeof presence.presenceLeaveSchema>; result: object }
  'presence:subscribe': { payload: InferOutput<typeof presence.presenceSubscriptionSchema>; result: PresencePage }
  'presence:unsubscribe': { payload: InferOutput<typeof presence.presenceSubscriptionSchema>; result: object }
  'presence:cursor': { payload: InferOutput<typeof presence.presenceCursorSchema>; result: object }
  'room:join': { payload: InferOutput<typeof rooms.roomJoinSchema>; result: object }
  'room:leave': { payload: InferOutput<typeof rooms.roomLeaveSchema>; result: object }
  /** Granted, queued, or refused because of another holder. */
  'lock:acquire': {
    payload: InferOutput<typeof locks.lockAcquireSchema>
    result: { token: number } | { waiting: true } | { holder: WireHolder }
  }
  'lock:cancel': { payload: InferOutput<typeof locks.lockCancelSchema>; result: object }
  'lock:release': { payload: InferOutput<typeof locks.lockReleaseSchema>; result: object }
  'lock:subscribe': { payload: InferOutput<typeof locks.lockSubscriptionSchema>; result: LockPage }
  'lock:unsubscribe': { payload: InferOutput<typeof locks.lockSubscriptionSchema>; result: object }
}

/** A command of server code to the instances of a cluster. */
export type RoomCommand = InferOutput<typeof rooms.roomCommandSchema>

/** What one instance made of it. */
export type RoomResult = InferOutput<typeof rooms.roomResultSchema>

/** The name of a client message. */
export type RequestName = keyof Requests

/** The reply to every client message: its result, or an error with a code. */
export type Reply<Result extends object = object> = ({ ok: true } & Result) | { ok: false; error: WireError }

/** A change of one key as a patch of the version before it. */
export interface PatchUpdate {
  key: string
  version: number
  base: number
  patch: JsonObject
}

/** `storage:updated`: the entry, or a patch if that is smaller. `reset`: it replaces any version that the client has. */
export type StateUpdate = (Entry | PatchUpdate) & { reset?: true }

/** The part of a connection that ended: one subscription, or the connection itself. */
export type RevokedTarget =
  | { key: string }
  | { prefix: string }
  | { channel: string }
  /** The subscription to the members of a room, with `membership` being one of them, with `joined` the connection being in the room. */
  | { room: string; membership?: true; joined?: true }
  | { document: string }
  /** The subscription to a lock, or with `held` the lock itself or the request for it. */
  | { lock: string; held?: true }
  /** The subscription to the locks below a prefix. */
  | { locks: string }
  | { connection: true }

/** The messages of servers: event name → payload. The only table of messages from server to client. */
export interface Notices {
  'server:hello': { protocol: number; instance: string; limits: Limits; features?: string[] }
  'server:draining': { reconnectAfterMs: number }
  'server:status': { degraded: boolean }
  'server:revoked': { target: RevokedTarget; error: WireError }
  'storage:updated': StateUpdate
  'event:received': { channel: string; data: JsonValue; offset?: string }
  'event:replayed': EventReplay
  /** Events after `from` and up to `offset` may be lost. */
  'event:gap': { channel: string; from: string; offset: string }
  'presence:changed': PresenceChange
  'presence:cursors': { room: string; cursors: { [id: string]: JsonValue } }
  /** Without `update`, the client requests it by `document:open` with its offset. */
  'document:updated': { document: string; offset: string; previous: string; update?: WireBytes }
  /** The document is in the database up to `stored`; `failing`: the database refuses it. */
  'document:status': { document: string; stored: string; failing?: true }
  /** What others show in the document, by ids of their memberships, and which have left. `all`: there are no others. */
  'document:awareness': { document: string; states?: { [id: string]: AwarenessState }; left?: string[]; all?: true }
  'presence:count': { room: string; count: number }
  /** A message of server code. `room`: it was sent to this room alone. */
  'room:received': { room?: string; name: string; data: JsonValue }
  'lock:granted': { key: string; request: string; token: number }
  'lock:refused': { key: string; request: string; error: WireError }
  'lock:changed': LockChange
}

/** The name of a server message. */
export type NoticeName = keyof Notices

/** `Requests` as Socket.IO types its events. */
export type ClientToServerEvents = {
  [Name in RequestName]: (payload: Requests[Name]['payload'], acknowledge: (reply: Reply<Requests[Name]['result']>) => void) => void
}

/** `Notices` as Socket.IO types its events. */
export type ServerToClientEvents = { [Name in NoticeName]: (payload: Notices[Name]) => void }
