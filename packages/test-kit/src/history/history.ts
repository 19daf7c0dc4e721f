// The operations and observations of a store's clients, as plain data that can be sent between processes. Times are
// milliseconds since 1970 of one machine's clock.

/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** The content of an entry. */
export type Content = { readonly value: Json } | { readonly absent: true }

/** The effect of an operation on one key. `ifVersion`: only at this version, 0: only if absent. */
export type Effect =
  | { readonly op: 'set'; readonly value: Json; readonly ifVersion?: number | undefined }
  | { readonly op: 'remove'; readonly ifVersion?: number | undefined }
  | { readonly op: 'increment'; readonly by: number; readonly initial?: number | undefined }
  | { readonly op: 'patch'; readonly patch: { readonly [name: string]: Json } }

/** One mutation of one client, regardless of how often it was sent. */
export interface Operation {
  /** Names it in messages. */
  readonly id: string
  readonly client: string
  readonly key: string
  readonly effect: Effect
  /** When it was first sent. */
  readonly startMs: number
  /** When its reply arrived; absent if none did. */
  readonly endMs?: number | undefined
  /** `done`: acknowledged, with its version and an increment's sum. `refused`: it must have no effect. `unknown`: either. */
  readonly outcome:
    | { readonly kind: 'done'; readonly version: number; readonly value?: Json | undefined }
    | { readonly kind: 'refused'; readonly code: string }
    | { readonly kind: 'unknown' }
}

/** An entry shown by a client, in the order of arrival. */
export interface Observation {
  readonly client: string
  readonly key: string
  readonly atMs: number
  /** 0: never written. */
  readonly version: number
  /** Absent if only the version was observed. */
  readonly content?: Content | undefined
}

/** The stored content of one key after all activity has ended. */
export interface FinalEntry {
  readonly key: string
  readonly version: number
  readonly content: Content
}

/** All data of one run. Must contain all operations of its keys: an omitted one would appear as an unexplained effect. */
export interface History {
  readonly operations: readonly Operation[]
  readonly observations: readonly Observation[]
  readonly final: readonly FinalEntry[]
}

/** The guarantees that a history can violate. */
export const HISTORY_RULES = {
  kept: 'An acknowledged write is in the final state, or a later version has overwritten it.',
  once: 'The effect of a mutation stands at one version only.',
  forward: 'No client shows an older version of a key after a newer one.',
  'one-value': 'A version has one value for all readers.',
  sum: 'A counter is the sum of the acknowledged increments, and of any of those whose outcome is unknown.',
  follows: 'Sorted by version, each effect follows from its predecessor, on its condition.',
  'real-time': 'No operation stands outside the time it ran in.',
  refused: 'What was refused has no effect.',
  converged: 'In the end every client shows what the store holds.',
} as const

/** The name of a rule. */
export type HistoryRule = keyof typeof HISTORY_RULES

/** One violation of one rule. */
export interface Violation {
  readonly rule: HistoryRule
  readonly key: string
  readonly message: string
}
