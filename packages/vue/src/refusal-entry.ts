import { fromWireError, type Entry, type RealtimeError } from '@tutti/protocol'
import { mayRepeat } from '@tutti/protocol/internal'

/** The key of a refusal among the entries of a page. No key of a client contains a `$` (S19). */
export const refusalKey = (name: string): string => `$refused:${name}`

/**
 * Marks a key or prefix as unreadable among the entries of a page, so that the browser starts from that too (S22). Undefined
 * for a temporary failure: the browser tries again. Errors are recognized by their fields, because the server's code may be
 * another bundle with its own class.
 */
export function refusalEntry(name: string, error: unknown): Entry | undefined {
  if (!(error instanceof Error) || error.name !== 'RealtimeError') return undefined
  const { code, message, retryable } = fromWireError(error)
  // A closing server does not decide about the key.
  const isFinal = 'retryable' in error && !mayRepeat({ code, retryable }) && code !== 'CLOSED'
  return isFinal ? { key: refusalKey(name), version: 0, value: { code, message, retryable } } : undefined
}

/** The refusal in such an entry. */
export const refusalIn = (entry: Entry | undefined): RealtimeError | undefined =>
  entry !== undefined && 'value' in entry ? fromWireError(entry.value) : undefined
