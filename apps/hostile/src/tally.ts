/** Counts of messages by outcome. */
export type Counts = Record<string, number>

/** Counts by name. */
export interface Tally {
  readonly counts: Counts
  add(name: string, by?: number): void
}

/** An empty tally. */
export function createTally(): Tally {
  const counts: Counts = {}
  return { counts, add: (name, by = 1) => void (counts[name] = (counts[name] ?? 0) + by) }
}
