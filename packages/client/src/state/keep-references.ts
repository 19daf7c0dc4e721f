import { isJsonObject, type JsonValue } from '@tutti/protocol'

/** `next`, or `before` where both are the same JSON: an equal value stays the same object. */
export const keepIfSame = (before: JsonValue | undefined, next: JsonValue | undefined): JsonValue | undefined =>
  isSameJson(before, next) ? before : next

/**
 * Tells whether two values have the same JSON text, without making it. The order of properties counts, because lists show
 * properties in it; `equalJson` ignores it.
 */
export function isSameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => isSameJson(item, b[index]))
  if (!isJsonObject(a) || !isJsonObject(b)) return false
  const names = Object.keys(b)
  const parts = Object.entries(a)
  return parts.length === names.length && parts.every(([name, part], index) => name === names[index] && isSameJson(part, b[name]))
}

/** `next`, or `before` where no part differs, so that nothing is rendered again for an acknowledgement. */
export function keepReferences<T extends object>(before: T, next: T): T {
  const parts = Object.values(before)
  return Object.values(next).some((part, index) => part !== parts[index]) ? next : before
}
