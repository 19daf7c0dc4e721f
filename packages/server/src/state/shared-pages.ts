import type { EntryPage } from '@tutti/protocol'
import { compareKeys } from '@tutti/protocol/internal'
import type { EntryReads } from './entry-reads.ts'
import { wasListed } from './prefix-subscriptions.ts'
import type { SubscriptionRegistry } from './subscription-registry.ts'

/** Pages of entries below prefixes, which connections of this instance share. */
export interface SharedPages {
  /** A page. Other callers receive the same object: it must not be changed. */
  read(prefix: string, after: string | undefined): Promise<EntryPage>
}

interface PageRead {
  readonly prefix: string
  readonly after: string | undefined
  begun: boolean
  page: Promise<EntryPage>
}

/**
 * Reads pages. Those that overlap are read one after the other, so that what one has shown can't be missing in the next. A
 * read that waits for its turn is shared: a thousand clients that reconnect at once are answered by two reads. `maxBytes`: of
 * the entries of a page; the first one fits in any case.
 */
export function createSharedPages(store: Pick<EntryReads, 'list'>, registry: SubscriptionRegistry, maxBytes: number): SharedPages {
  const inProgress = new Set<PageRead>()

  const cut = (page: EntryPage): EntryPage => {
    let bytes = 0
    const end = page.entries.findIndex((entry, place) => (bytes += JSON.stringify(entry).length) > maxBytes && place > 0)
    if (end === -1) return page
    const entries = page.entries.slice(0, end)
    return { entries, after: entries.at(-1)?.key ?? '' }
  }

  /** Notes what a page shows. An entry of which nothing can have been sent before is known from now on. */
  const note = (prefix: string, { entries, after }: EntryPage): void => {
    const subscription = registry.prefixes.get(prefix)
    if (subscription === undefined) return
    for (const { key, version } of entries) {
      const isFirst = !registry.has(key) && registry.prefixes.above(key).every((other) => !wasListed(other, key))
      if (isFirst) registry.open(key).startAt(version)
    }
    if (after === undefined) subscription.listedAll = true
    else if (compareKeys(after, subscription.listedTo) > 0) subscription.listedTo = after
  }

  const list = async (read: PageRead, before: readonly PageRead[]): Promise<EntryPage> => {
    await Promise.allSettled(before.map(({ page }) => page))
    read.begun = true
    const page = cut(await store.list(read.prefix, read.after))
    note(read.prefix, page)
    return page
  }

  return {
    read: (prefix, after) => {
      const before = [...inProgress].filter((other) => other.prefix.startsWith(prefix) || prefix.startsWith(other.prefix))
      const same = before.find((other) => !other.begun && other.prefix === prefix && other.after === after)
      if (same !== undefined) return same.page
      const read: PageRead = { prefix, after, begun: false, page: Promise.resolve({ entries: [] }) }
      inProgress.add(read)
      read.page = list(read, before).finally(() => inProgress.delete(read))
      return read.page
    },
  }
}
