import {
  callback,
  INLINE_VALUE_MAX_BYTES,
  MUTATION_MEMORY_MS,
  TOMBSTONE_MS,
  wholeNumber,
  WRITE_TIMEOUT_MS,
  type OptionRows,
  type Settings,
} from '@tutti/protocol/internal'

/** Where a background failure happened. `message`: a notification was dropped; `listener`: a listener threw. */
export interface StoreErrorContext {
  stage: 'message' | 'listener'
}

/** Options of both stores. */
export interface StoreOptions {
  /**
   * Values whose JSON is at most this many UTF-8 bytes are included in their notification.
   *
   * @default 8_192
   */
  inlineValueMaxBytes?: number | undefined
  /**
   * How long a client's last mutation on a key is remembered, milliseconds: 24 h.
   *
   * @default 86_400_000
   */
  mutationMemoryMs?: number | undefined
  /**
   * How long a removed key keeps its version, milliseconds: 24 h.
   *
   * @default 86_400_000
   */
  tombstoneMs?: number | undefined
  /**
   * The deadline of a write without its own: this long after now on the store's clock, milliseconds.
   *
   * @default 5_000
   */
  writeTimeoutMs?: number | undefined
  /**
   * Receives failures that no caller awaits.
   *
   * @default console.error
   */
  onError?: ((error: unknown, context: StoreErrorContext) => void) | undefined
}

/** The accepted values of the options of both stores. */
export const STORE_OPTIONS = {
  inlineValueMaxBytes: wholeNumber(0, INLINE_VALUE_MAX_BYTES),
  mutationMemoryMs: wholeNumber(1, MUTATION_MEMORY_MS, Number.MAX_SAFE_INTEGER),
  tombstoneMs: wholeNumber(1, TOMBSTONE_MS, Number.MAX_SAFE_INTEGER),
  writeTimeoutMs: wholeNumber(1, WRITE_TIMEOUT_MS),
  onError: callback(undefined),
} satisfies OptionRows<StoreOptions>

/** The options with their defaults. */
export interface StoreSettings extends Omit<Settings<StoreOptions, typeof STORE_OPTIONS>, 'onError'> {
  /** Never throws. */
  onError: (error: unknown, context: StoreErrorContext) => void
}
