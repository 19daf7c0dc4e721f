/**
 * The result of an increment, or `undefined` if there is none: the value is not a number, or the result would leave the
 * safe integers or the finite numbers. Store and client share this rule.
 */
export function incremented(value: unknown, by: number): number | undefined {
  if (typeof value !== 'number') return undefined
  const sum = value + by
  // The remainder is NaN for a sum that is not finite, and 0 for every unsafe integer.
  return Number.isSafeInteger(sum) || sum % 1 ? sum : undefined
}
