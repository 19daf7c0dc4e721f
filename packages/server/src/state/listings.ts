import type { EntryPage } from '@tutti/protocol'
import type { StateStore } from '@tutti/storage-driver/contract'

interface Listing {
  readonly prefix: string
  readonly after: string | undefined
  begun: boolean
  page: Promise<EntryPage>
}

/**
 * Reads pages of what stands below prefixes. Those that overlap are read one after the other, so that what one has shown
 * can't be missing in the next; who asks for a page that waits for its turn shares it: a thousand clients that come back
 * at once are answered by two reads.
 */
export class Listings {
  private readonly underWay = new Set<Listing>()
  private readonly store: Pick<StateStore, 'list'>
  private readonly maxBytes: number
  private readonly learn: (prefix: string, page: EntryPage) => void

  /** `maxBytes`: of the entries of a page; the first comes in any case. `learn` runs with each page before anybody has it. */
  constructor(store: Pick<StateStore, 'list'>, maxBytes: number, learn: Listings['learn']) {
    this.store = store
    this.maxBytes = maxBytes
    this.learn = learn
  }

  read(prefix: string, after: string | undefined): Promise<EntryPage> {
    const before = [...this.underWay].filter((other) => other.prefix.startsWith(prefix) || prefix.startsWith(other.prefix))
    const same = before.find((other) => !other.begun && other.prefix === prefix && other.after === after)
    if (same !== undefined) return same.page
    const listing: Listing = { prefix, after, begun: false, page: Promise.resolve({ entries: [] }) }
    this.underWay.add(listing)
    listing.page = this.list(listing, before).finally(() => this.underWay.delete(listing))
    return listing.page
  }

  private async list(listing: Listing, before: readonly Listing[]): Promise<EntryPage> {
    await Promise.allSettled(before.map(({ page }) => page))
    listing.begun = true
    const page = this.cut(await this.store.list(listing.prefix, listing.after))
    this.learn(listing.prefix, page)
    return page
  }

  private cut(page: EntryPage): EntryPage {
    let bytes = 0
    const end = page.entries.findIndex((entry, place) => (bytes += JSON.stringify(entry).length) > this.maxBytes && place > 0)
    if (end === -1) return page
    const entries = page.entries.slice(0, end)
    return { entries, after: entries.at(-1)?.key ?? '' }
  }
}
