import { RealtimeError, type Entry, type EntryPage } from '@tutti/protocol'

/** Entries of one page. */
const PAGE_SIZE = 1_000

/** Keys that are authorized at once. */
const AT_ONCE = 100

/** What a page of readable entries is made from. */
export interface ReadablePageSource {
  /** A page of all entries, in the order of their keys. */
  list(after: string | undefined): Promise<EntryPage>
  /** Whether the key may be read; undefined if `authorize` failed to decide. */
  mayRead(key: string): Promise<boolean | undefined>
  /** Bytes of the entries of a page; the first entry fits in any case. */
  readonly maxBytes: number
}

/**
 * A page of the entries that may be read, exactly as if the store had no others: it is full, and `after` is a key that may be
 * read and is there only if another such entry follows. A page of all entries that is merely filtered would show the number
 * of the other entries by what it lacks, and the name of one of them in `after` (X2). An entry about which `authorize` could
 * not say is part of the page and never its end. Rejects with `UNAVAILABLE` where there is no other end.
 */
export async function readablePage({ list, mayRead, maxBytes }: ReadablePageSource, after: string | undefined): Promise<EntryPage> {
  const entries: Entry[] = []
  let end: string | undefined
  let bytes = 0
  for (let from = after; ;) {
    const page = await list(from)
    for (const { entry, isCertain } of await readable(page.entries, mayRead)) {
      bytes += JSON.stringify(entry).length
      if (entries.length > 0 && (entries.length === PAGE_SIZE || bytes > maxBytes)) return { entries, after: certain(end) }
      entries.push(entry)
      if (isCertain) end = entry.key
    }
    if (page.after === undefined) return { entries }
    from = page.after
    // A store in memory answers at once: a long search must not stop everything else.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function readable(
  entries: readonly Entry[],
  mayRead: ReadablePageSource['mayRead'],
): Promise<{ entry: Entry; isCertain: boolean }[]> {
  const found: { entry: Entry; isCertain: boolean }[] = []
  for (let start = 0; start < entries.length; start += AT_ONCE) {
    const batch = entries.slice(start, start + AT_ONCE)
    const answers = await Promise.all(batch.map(({ key }) => mayRead(key)))
    for (const [index, entry] of batch.entries()) {
      const answer = answers[index]
      if (answer !== false) found.push({ entry, isCertain: answer === true })
    }
  }
  return found
}

function certain(end: string | undefined): string {
  if (end !== undefined) return end
  throw new RealtimeError('UNAVAILABLE', { message: 'Page of a prefix not available: `authorize` failed for all of its keys. Try again.' })
}
