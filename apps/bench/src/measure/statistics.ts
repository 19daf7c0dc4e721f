/** The value at or below which `share` (0 to 1) of the numbers are, by the nearest rank; NaN for none. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** The median of each figure. */
export function mediansOf(figures: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(figures[0] ?? {})
  return Object.fromEntries(names.map((name) => [name, spreadOf(figures.map((of) => of[name] ?? Number.NaN)).median]))
}

/** Median with least and greatest. */
export interface Spread {
  median: number
  min: number
  max: number
}

/** The spread of some numbers; NaN for none. */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const median = ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
  return { median, min: sorted.at(0) ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}
