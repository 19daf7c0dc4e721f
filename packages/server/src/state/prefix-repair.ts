import { compareKeys } from '@tutti/protocol/internal'
import type { Core } from '../feature.ts'
import type { ChangeDelivery } from './change-delivery.ts'
import type { SharedPages } from './shared-pages.ts'
import type { SubscriptionRegistry } from './subscription-registry.ts'

/** Delay between two attempts to read entries while the store is unavailable, milliseconds. */
const RETRY_MS = 500

/** Takes the place of a connection that requests pages; ids of sockets contain no `$`. */
const REPAIR = '$repair'

/** Finds entries below prefixes of which nothing was sent, after changes may have been missed (F3). */
export interface PrefixRepair {
  /** Lists the prefixes and delivers unknown entries. Known keys are repaired as such. Reports its failures, and tries again. */
  run(): Promise<void>
  /** Reads nothing more by itself. */
  close(): void
}

/** Makes the repair of one instance. */
export function createPrefixRepair(
  { onError }: Pick<Core, 'onError'>,
  registry: SubscriptionRegistry,
  pages: SharedPages,
  delivery: Pick<ChangeDelivery, 'endRead'>,
): PrefixRepair {
  const { prefixes } = registry
  let retry: NodeJS.Timeout | undefined
  let isRetrying = false
  let newest = Promise.resolve()
  let closed = false

  const deliverUnknown = async (prefix: string): Promise<void> => {
    // Entries beyond are on pages that the members have yet to request.
    const { listedTo, listedAll } = prefixes.get(prefix) ?? { listedTo: '', listedAll: false }
    // Changes are buffered in the meantime as for a connection, so that no page restores a removed entry.
    prefixes.join(prefix, REPAIR)
    try {
      let after: string | undefined
      do {
        const page = await pages.read(prefix, after)
        for (const entry of page.entries) {
          const subscription = registry.open(entry.key)
          if (subscription.isKnown(entry.version)) continue
          subscription.beginRead()
          delivery.endRead(subscription, entry)
        }
        ;({ after } = page)
      } while (after !== undefined && (listedAll || compareKeys(after, listedTo) < 0))
    } finally {
      const withCursor = registry.cursorsBelow(REPAIR, prefix)
      const forgotten = prefixes.leave(prefix, REPAIR)
      for (const key of withCursor) registry.find(key)?.leave(REPAIR)
      for (const key of [...withCursor, ...forgotten]) registry.collect(key)
    }
  }

  const repairAll = async (): Promise<void> => {
    clearTimeout(retry)
    try {
      for (const prefix of prefixes.names) await deliverUnknown(prefix)
      isRetrying = false
    } catch (error) {
      // Reported once for all tries.
      if (!isRetrying) onError(error, { stage: 'watch' })
      isRetrying = true
      if (!closed) retry = setTimeout(() => void run(), RETRY_MS)
    }
  }

  // One after the other, for all take the place of one connection.
  const run = (): Promise<void> => (newest = newest.then(repairAll))

  return {
    run,
    close: () => {
      closed = true
      clearTimeout(retry)
    },
  }
}
