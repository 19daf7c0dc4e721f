/**
 * The sum that an increment makes, or `undefined` where it has none (S7): a value that is no number, or a result that
 * leaves the safe integers or the finite numbers. Store and client add by this same rule.
 */
export function incremented(value: unknown, by: number): number | undefined {
  if (typeof value !== 'number') return undefined
  const sum = value + by
  // The remainder is NaN for what is not finite and 0 for every unsafe integer.
  return Number.isSafeInteger(sum) || sum % 1 ? sum : undefined
}
