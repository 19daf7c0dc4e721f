export { matchesChannel } from './channel-match.ts'
export { defineSchema, type RealtimeSchema, type RoomSchemas, type Schemas, type SchemaValue } from './define-schema.ts'
export type { SchemaInfo, SchemaMessage } from './schema-info.ts'
export type { AbsentEntry, Entry, PresentEntry } from './entry.ts'
export { ERROR_CODES, type ErrorCode } from './error-codes.ts'
export { isKey } from './grammar.ts'
export { incremented } from './increment.ts'
export { isJsonValue, type JsonObject, type JsonValue } from './json.ts'
export { jsonCopy } from './json-copy.ts'
export { DEFAULT_LIMITS, MAX_NAME_BYTES, MAX_VALUE_DEPTH, type Limits } from './limits.ts'
export { listingEntry } from './listing-entry.ts'
export { applyPatch, createPatch, equalJson } from './merge-patch.ts'
export type * from './document-messages.ts'
export type {
  ClientToServerEvents,
  EntryPage,
  EventHistory,
  EventReplay,
  Handshake,
  LoggedEvent,
  MutationId,
  NoticeName,
  Notices,
  PatchUpdate,
  LockBinding,
  LockChange,
  LockPage,
  PresenceChange,
  WireHolder,
  PresencePage,
  Reply,
  RequestName,
  Requests,
  RevokedTarget,
  ServerToClientEvents,
  StateUpdate,
  WireMember,
} from './messages.ts'
export { parseChannel, parseDocument, parseKey, parsePattern, parsePrefix, parseRoom } from './names.ts'
export { parseValue } from './parse-value.ts'
export { RealtimeError, fromWireError, toWireError, type RealtimeErrorOptions, type WireError } from './realtime-error.ts'
export { roomKey } from './room-names.ts'
export { PROTOCOL_HISTORY, PROTOCOL_VERSION } from './version.ts'
