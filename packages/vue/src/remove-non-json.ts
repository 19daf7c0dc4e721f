import { isPlain, MAX_VALUE_DEPTH } from '@tutti/protocol'
import { isRef, reactive } from 'vue'

/**
 * Removes from a value, in place, what could not be replaced by an assignment: refs (Vue would assign to the ref), getters,
 * and what throws when it is read. Objects that the application holds stay the same.
 */
export function removeNonJson(value: unknown, levels = MAX_VALUE_DEPTH, seen = new Set<unknown>()): void {
  // What is deeper is replaced anyway.
  if (typeof value !== 'object' || value === null || levels === 0 || seen.has(value)) return
  seen.add(value)
  for (const name of Object.keys(value)) {
    const part = Object.getOwnPropertyDescriptor(value, name)
    if (part && 'value' in part && isReadable(part.value)) removeNonJson(part.value, levels - 1, seen)
    // Vue reads a property that it deletes, so a getter goes first.
    else if (Reflect.defineProperty(value, name, { value: undefined, writable: true })) Reflect.deleteProperty(reactive(value), name)
  }
}

/** JSON or not, it can be looked at. */
function isReadable(value: unknown): boolean {
  try {
    return typeof value !== 'object' || value === null || (!isRef(value) && (Array.isArray(value) || isPlain(value)))
  } catch {
    return false
  }
}
