import { INLINE_VALUE_MAX_BYTES, MUTATION_MEMORY_MS, RealtimeError, TOMBSTONE_MS, WRITE_TIMEOUT_MS } from '@tutti/protocol'

/** Where a background failure happened. `message`: a notification was dropped; `listener`: a listener threw. */
export interface StoreErrorContext {
  stage: 'message' | 'listener'
}

/** Options that both stores take. */
export interface StoreOptions {
  /** Values whose JSON is at most this many UTF-8 bytes travel with their notification; default 8,192 (S5). */
  inlineValueMaxBytes?: number | undefined
  /** How long a client's last mutation on a key is remembered, milliseconds; default 24 h (S12). */
  mutationMemoryMs?: number | undefined
  /** How long a removed key keeps its version, milliseconds; default 24 h (S1). */
  tombstoneMs?: number | undefined
  /** The deadline of a write that names none: this long from now on the store's clock, milliseconds; default 5,000 (F2). */
  writeTimeoutMs?: number | undefined
  /** Hears of failures that no caller awaits. Default: they are dropped. */
  onError?: ((error: unknown, context: StoreErrorContext) => void) | undefined
}

/** The options with every default filled in. */
export interface StoreSettings {
  inlineValueMaxBytes: number
  mutationMemoryMs: number
  tombstoneMs: number
  writeTimeoutMs: number
  onError: (error: unknown, context: StoreErrorContext) => void
}

/** Fills in the defaults; throws `INVALID_OPTIONS` for what is no whole number or below its least value. */
export const storeSettings = (options: StoreOptions): StoreSettings => ({
  inlineValueMaxBytes: whole('inlineValueMaxBytes', options.inlineValueMaxBytes ?? INLINE_VALUE_MAX_BYTES, 0),
  mutationMemoryMs: whole('mutationMemoryMs', options.mutationMemoryMs ?? MUTATION_MEMORY_MS, 1),
  tombstoneMs: whole('tombstoneMs', options.tombstoneMs ?? TOMBSTONE_MS, 1),
  writeTimeoutMs: whole('writeTimeoutMs', options.writeTimeoutMs ?? WRITE_TIMEOUT_MS, 1),
  onError: options.onError ?? (() => {}),
})

function whole(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new RealtimeError('INVALID_OPTIONS', { message: `${name} must be a whole number of at least ${least}.` })
}
