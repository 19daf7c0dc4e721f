export { callSafely, ignoreRejection, logError, safeErrorListener, toError } from './call-safely.ts'
export { matchesChannel, patternsOf } from './channel-match.ts'
export { defineSchema, schemaOf, type RealtimeSchema, type Schemas, type SchemaValue } from './define-schema.ts'
export { isAbsent, neverThere, valueOf, type AbsentEntry, type Entry, type PresentEntry } from './entry.ts'
export { createDeferred, type Deferred } from './deferred.ts'
export { ERROR_CODES, type ErrorCode } from './error-codes.ts'
export { byteLength, isKey, isPattern, isSubscribable } from './grammar.ts'
export { incremented } from './increment.ts'
export { isJsonObject, isJsonValue, isPlain, type JsonObject, type JsonValue } from './json.ts'
export { jsonCopy } from './json-copy.ts'
export { compareKeys, prefixesOf } from './key-order.ts'
export { createKeyedMutex, type KeyedMutex } from './keyed-mutex.ts'
export { createListeners, type Listeners } from './listeners.ts'
export { listingEnd, listingEntry } from './listing-entry.ts'
export {
  DEFAULT_LIMITS,
  DEFAULT_RATES,
  INLINE_VALUE_MAX_BYTES,
  MAX_HISTORY,
  MAX_NAME_BYTES,
  MAX_REWIND,
  MAX_VALUE_DEPTH,
  MAX_BACKLOG_BYTES,
  MAX_BACKLOG_PACKETS,
  MUTATION_MEMORY_MS,
  TOMBSTONE_MS,
  WRITE_TIMEOUT_MS,
  type Limits,
} from './limits.ts'
export { applyPatch, composePatches, createPatch, equalJson } from './merge-patch.ts'
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
  PresenceChange,
  PresencePage,
  Reply,
  RequestName,
  Requests,
  RevokedTarget,
  ServerToClientEvents,
  StateUpdate,
  WireMember,
} from './messages.ts'
export {
  anything,
  callback,
  flag,
  oneOf,
  parseOptions,
  required,
  text,
  wholeNumber,
  withMethods,
  type OptionRow,
  type OptionRows,
  type Settings,
} from './options.ts'
export { parseValue } from './parse-value.ts'
export { parseChannel, parseKey, parsePattern, parsePrefix, parseRoom } from './names.ts'
export { RealtimeError, fromWireError, isRetryable, toWireError, type RealtimeErrorOptions, type WireError } from './realtime-error.ts'
export { PROTOCOL_HISTORY, PROTOCOL_VERSION } from './version.ts'
