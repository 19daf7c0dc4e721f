import type { CollectionItem, CollectionSnapshot } from '@tutti/client/collection'
import type { JsonValue } from '@tutti/protocol'
import { compareKeys, isAbsent, listingEnd } from '@tutti/protocol/internal'
import type { PageEntries } from '../page-entries.ts'

/** A collection as rendered in the page (S22). */
export function renderedCollection(page: PageEntries, prefix: string): CollectionSnapshot<JsonValue> {
  const end = listingEnd(page.get(prefix))
  const isListed = (key: string): boolean => end === undefined || compareKeys(key, end) <= 0
  const items = page
    .all()
    .flatMap((entry): CollectionItem<JsonValue>[] =>
      // The entry of a prefix only states which keys were listed.
      isAbsent(entry) || entry.key.endsWith(':') || !entry.key.startsWith(prefix) || !isListed(entry.key)
        ? []
        : [{ key: entry.key, value: entry.value, version: entry.version, pending: false }],
    )
    .toSorted((a, b) => compareKeys(a.key, b.key))
  const error = page.refusal(prefix)
  return { items, loading: end === '' && !error, pending: false, error, hasMore: end !== '' && end !== undefined }
}
