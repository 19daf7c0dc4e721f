/**
 * `next`, or `before` where nothing differs, so that nobody renders again for an acknowledgement. A value of equal JSON stays
 * the same object.
 */
export function withUnchanged<T extends { readonly value: unknown }>(before: T, next: T): T {
  const now = JSON.stringify(next.value) === JSON.stringify(before.value) ? { ...next, value: before.value } : next
  const values = Object.values(before)
  return Object.values(now).some((part, index) => part !== values[index]) ? now : before
}
