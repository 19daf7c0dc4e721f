/** `next`, or `before` where no part differs, so that nothing is rendered again for an acknowledgement. */
export function withUnchanged<T extends object>(before: T, next: T): T {
  const parts = Object.values(before)
  return Object.values(next).some((part, index) => part !== parts[index]) ? next : before
}
