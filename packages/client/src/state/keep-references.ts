import type { JsonValue } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'

/** `next`, or `before` if no property differs, so that an acknowledgement does not cause a render. */
export function keepReferences<T extends object>(before: T, next: T): T {
  for (const name in next) if (next[name] !== before[name]) return next
  return before
}

/**
 * Whether two values have the same JSON text, without creating it. The order of properties counts, because lists show
 * properties in that order; `equalJson` ignores it.
 */
export function isSameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => isSameJson(item, b[index]))
  if (!isJsonObject(a) || !isJsonObject(b)) return false
  const names = Object.keys(b)
  const parts = Object.entries(a)
  return parts.length === names.length && parts.every(([name, part], index) => name === names[index] && isSameJson(part, b[name]))
}
