import type { Entry } from './entry.ts'

/**
 * Says among entries that are handed on together (S22) that all below a prefix are there, up to the key `after`, or to the end.
 * It stands under the prefix, which no key can be (S19), and never travels on the wire.
 */
export const listingEntry = (prefix: string, after?: string): Entry => ({ key: prefix, version: 0, value: after ?? null })

/** With which key a listing ends: '' for nothing is listed, `undefined` for all is. */
export function listingEnd(entry: Entry | undefined): string | undefined {
  if (entry === undefined || !('value' in entry)) return ''
  return typeof entry.value === 'string' ? entry.value : undefined
}
