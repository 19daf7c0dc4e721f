import { fromWireError, type Entry, type RealtimeError } from '@tutti/protocol'

/** Under which the refusal of a key or prefix is stored among the entries of a page. No key has a `$` (S19). */
export const refusalKey = (name: string): string => `$refused:${name}`

/**
 * Says among the entries of a page that a key or prefix may not be read, so that the browser starts from that too (S22). Undefined
 * for a failure that may pass: the browser tries again. Errors are told by their fields, for the code of the server may be
 * another bundle with a class of its own.
 */
export function refusalEntry(name: string, error: unknown): Entry | undefined {
  if (!(error instanceof Error) || error.name !== 'RealtimeError') return undefined
  const { code, message, retryable } = fromWireError(error)
  // A server that closes says nothing about the key.
  const isFinal = 'retryable' in error && error.retryable === false && code !== 'CLOSED'
  return isFinal ? { key: refusalKey(name), version: 0, value: { code, message, retryable } } : undefined
}

/** The refusal that such an entry says. */
export const refusalIn = (entry: Entry | undefined): RealtimeError | undefined =>
  entry !== undefined && 'value' in entry ? fromWireError(entry.value) : undefined
