/**
 * For other packages of Tutti only: any release may change these exports.
 * @module
 * @internal
 */
export { callSafely, ignoreRejection, logError, safeErrorListener, toError } from './call-safely.ts'
export { patternsOf } from './channel-match.ts'
export { createDeferred, type Deferred } from './deferred.ts'
export { schemaOf, type SchemaPart } from './define-schema.ts'
export { isAbsent, neverThere, valueOf } from './entry.ts'
export { byteLength, isPattern, isSubscribable } from './grammar.ts'
export { isJsonObject, isPlain } from './json.ts'
export { compareKeys, prefixesOf } from './key-order.ts'
export { createKeyedMutex, type KeyedMutex } from './keyed-mutex.ts'
export {
  DEFAULT_RATES,
  INLINE_VALUE_MAX_BYTES,
  MAX_BACKLOG_BYTES,
  MAX_BACKLOG_PACKETS,
  MAX_HISTORY,
  MAX_REWIND,
  MUTATION_MEMORY_MS,
  TOMBSTONE_MS,
  WRITE_TIMEOUT_MS,
} from './limits.ts'
export { createListeners, type Listeners } from './listeners.ts'
export { listingEnd } from './listing-entry.ts'
export { composePatches } from './merge-patch.ts'
export { mayRepeat } from './may-repeat.ts'
export { parseMessageName } from './names.ts'
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
export { isRetryable } from './realtime-error.ts'
export type { RoomCommand, RoomResult } from './messages.ts'
export { MAX_ROOM_BYTES, roomPrefix, splitRoomKey } from './room-names.ts'
