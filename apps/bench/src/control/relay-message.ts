/** What a client of the relay asks, as JSON text. */
export type RelayRequest = { id: number; subscribe: string[] } | { id: number; key: string; value: unknown }

/** What the relay sends: an answer to a request, or an update of a key. */
export type RelayNotice = { id: number; version: number } | { key: string; version: number; value: unknown }
