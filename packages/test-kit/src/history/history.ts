// What clients of a store did and saw, as plain data that can cross processes. Times are milliseconds since 1970 of one
// machine's clock.

/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** What an entry holds. */
export type Content = { readonly value: Json } | { readonly absent: true }

/** What an operation does to one key. `ifVersion`: only on this version, 0: only where nothing is. */
export type Effect =
  | { readonly op: 'set'; readonly value: Json; readonly ifVersion?: number | undefined }
  | { readonly op: 'remove'; readonly ifVersion?: number | undefined }
  | { readonly op: 'increment'; readonly by: number; readonly initial?: number | undefined }
  | { readonly op: 'patch'; readonly patch: { readonly [name: string]: Json } }

/** One mutation of one client, however often it was sent. */
export interface Operation {
  /** Names it in messages. */
  readonly id: string
  readonly client: string
  readonly key: string
  readonly effect: Effect
  /** When it was sent first. */
  readonly startMs: number
  /** When its answer came; absent where none did. */
  readonly endMs?: number | undefined
  /** `done`: acknowledged, with the version it made and an increment's sum. `refused`: it must have no effect. `unknown`: either. */
  readonly outcome:
    | { readonly kind: 'done'; readonly version: number; readonly value?: Json | undefined }
    | { readonly kind: 'refused'; readonly code: string }
    | { readonly kind: 'unknown' }
}

/** An entry that a client showed: each client's in the order in which they came. */
export interface Observation {
  readonly client: string
  readonly key: string
  readonly atMs: number
  /** 0: never there. */
  readonly version: number
  /** Absent where only the version could be seen. */
  readonly content?: Content | undefined
}

/** What the store holds of one key after everything has come to rest. */
export interface FinalEntry {
  readonly key: string
  readonly version: number
  readonly content: Content
}

/** All that is known of one run: of its keys all operations, for what is left out looks like an effect from nowhere. */
export interface History {
  readonly operations: readonly Operation[]
  readonly observations: readonly Observation[]
  readonly final: readonly FinalEntry[]
}

/** The promises that a history can break. */
export const HISTORY_RULES = {
  kept: 'An acknowledged write is in the final state, or a later version has overwritten it.',
  once: 'The effect of a mutation stands at one version only.',
  forward: 'No client shows an older version of a key after a newer one.',
  'one-value': 'A version has one value, whoever looks.',
  sum: 'A counter is the sum of the acknowledged increments, and of any of those whose outcome is unknown.',
  follows: 'Sorted by version, each effect follows from its predecessor, on its condition.',
  'real-time': 'No operation stands outside the time it ran in.',
  refused: 'What was refused has no effect.',
  converged: 'In the end every client shows what the store holds.',
} as const

/** The name of a rule. */
export type HistoryRule = keyof typeof HISTORY_RULES

/** One breach of one rule. */
export interface Violation {
  readonly rule: HistoryRule
  readonly key: string
  readonly message: string
}
