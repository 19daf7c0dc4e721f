import type { Clock } from '../connection/clock.ts'
import type { CollectionItem } from './collection-contract.ts'

/** After the prefix: the time in milliseconds with 9 digits of base 36, enough until the year 5188, and 8 random ones. */
const FORM = /^([\da-z]{9})[\da-z]{8}$/

/**
 * Creates the keys of added entries (S25). A client's clock may be wrong, so each key has a later time than all added entries
 * that are shown (`items`, in the order of their keys), including pending ones.
 *
 * A key stored by other means may contain a time so late that no later one exists. Therefore a time counts only up to a year
 * (31,536e6 ms) after this clock, or after the entry's version, which is the store's time in microseconds (S1).
 */
export function createAddedKeys(prefix: string, clock: Clock, items: () => readonly CollectionItem<unknown>[]): () => string {
  /** The time of an added entry, 0 for another. */
  const timeOf = ({ key, version = 0 }: CollectionItem<unknown>): number => {
    const time = parseInt(FORM.exec(key.slice(prefix.length))?.[1] ?? '', 36)
    return time < Math.max(clock.now(), version / 1_000) + 31_536e6 ? time : 0
  }

  return () => {
    const last = items().findLast(timeOf)
    const time = Math.max(clock.now(), last ? timeOf(last) + 1 : 0)
    const digits = time.toString(36).padStart(9, '0')
    return crypto.getRandomValues(new Uint8Array(8)).reduce((key, byte) => key + (byte % 36).toString(36), prefix + digits)
  }
}
