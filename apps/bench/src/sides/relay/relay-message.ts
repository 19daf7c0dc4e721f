/** What a client of the relay requests, as JSON text. */
export type RelayRequest = { id: number; subscribe: readonly string[] } | { id: number; key: string; value: unknown }

/** What the relay sends: a reply to a request, or an update of a key. */
export type RelayNotice =
  | { id: number; version: number }
  /** The values of the requested keys. */
  | { id: number; values: unknown[] }
  | { key: string; version: number; value: unknown }
