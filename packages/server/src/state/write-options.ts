import { parseOptions, wholeNumber, type OptionRows } from '@tutti/protocol/internal'

/** Conditions and lifetime of a write. */
export interface StateWriteOptions {
  /** Only if the entry has this version; 0: only if it is absent. Otherwise `CONFLICT` with the entry. Without it, no condition. */
  ifVersion?: number | undefined
  /** Lifetime of the value, milliseconds. Only with `set`. Without it, the value does not expire. */
  ttlMs?: number | undefined
}

/** Where an increment starts. */
export interface StateIncrementOptions {
  /**
   * The number to which an increment of an absent key adds.
   *
   * @default 0
   */
  initial?: number | undefined
}

const REMOVE = { ifVersion: wholeNumber(0, undefined, Number.MAX_SAFE_INTEGER) } satisfies OptionRows<Pick<StateWriteOptions, 'ifVersion'>>

const SET = { ...REMOVE, ttlMs: wholeNumber(1, undefined, Number.MAX_SAFE_INTEGER) } satisfies OptionRows<StateWriteOptions>

const INCREMENT = { initial: ['a number', Number.isFinite, undefined] } satisfies OptionRows<StateIncrementOptions>

/** Options of `set`. Throws `INVALID_OPTIONS`. */
export const parseSetOptions = (options: StateWriteOptions = {}) => parseOptions('set', SET, options)

/** Options of `remove`. Throws `INVALID_OPTIONS`. */
export const parseRemoveOptions = (options: Pick<StateWriteOptions, 'ifVersion'> = {}) => parseOptions('remove', REMOVE, options)

/** Options of `increment`. Throws `INVALID_OPTIONS`. */
export const parseIncrementOptions = (options: StateIncrementOptions = {}) => parseOptions('increment', INCREMENT, options)
