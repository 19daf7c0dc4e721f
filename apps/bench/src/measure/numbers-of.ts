/** The named numbers of an object that another process sent; throws for one that is absent or not finite. */
export function numbersOf<Name extends string>(names: readonly Name[], from: unknown): Record<Name, number> {
  const found = new Map<string, unknown>(Object.entries(from ?? {}))
  const number = (name: Name): number => {
    const value = found.get(name)
    if (typeof value === 'number' && Number.isFinite(value)) return value
    throw new TypeError(`${name} must be a finite number, not ${String(value)}.`)
  }
  // `fromEntries` widens names to string.
  return Object.fromEntries(names.map((name) => [name, number(name)])) as Record<Name, number>
}
