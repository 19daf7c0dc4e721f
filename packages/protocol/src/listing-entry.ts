import type { Entry } from './entry.ts'

/**
 * A marker among entries that are delivered together: all entries below a prefix are included, up to the key `after`, or
 * to the end. Its key is the prefix, which is not a valid key. It is never sent to clients.
 */
export const listingEntry = (prefix: string, after?: string): Entry => ({ key: prefix, version: 0, value: after ?? null })

/** The key at which a listing ends: `''` if nothing is listed, `undefined` if it is complete. */
export function listingEnd(entry: Entry | undefined): string | undefined {
  if (entry === undefined || !('value' in entry)) return ''
  return typeof entry.value === 'string' ? entry.value : undefined
}
