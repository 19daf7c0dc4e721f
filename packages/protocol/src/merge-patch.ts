import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'

// JSON Merge Patch (RFC 7396), as S8 uses it. Properties are defined, not assigned: a property named `__proto__` is data like
// any other.

/** The value that results from a patch (RFC 7396, section 2). Neither argument is changed; `undefined` means absent. */
export function applyPatch(value: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch
  const base = isJsonObject(value) ? value : {}
  const changes = Object.entries(patch)
  // Inherited members such as `constructor` are functions, not JSON objects, so nothing is merged into them.
  const changed = changes.map(([name, change]): [string, JsonValue] => [name, applyPatch(base[name], change)])
  const merged = { ...base, ...Object.fromEntries(changed) }
  for (const [name, change] of changes) if (change === null) delete merged[name]
  return merged
}

/**
 * One patch with the effect of `first` followed by `second` on any value, or `undefined` if none exists (`second` merges into
 * something that `first` replaced).
 */
export function composePatches(first: JsonValue, second: JsonValue): JsonValue | undefined {
  if (!isJsonObject(second)) return second
  if (!isJsonObject(first)) return undefined
  const composed = new Map<string, JsonValue>(Object.entries(first))
  for (const [name, change] of Object.entries(second)) {
    const earlier = composed.get(name)
    const together = earlier === undefined ? change : composePatches(earlier, change)
    if (together === undefined) return undefined
    composed.set(name, together)
  }
  return Object.fromEntries(composed)
}

/**
 * The patch that changes one value into another, or `undefined` if RFC 7396 cannot express it: a property becomes null, or one
 * of the roots is not an object. Equal values give `{}`.
 */
export function createPatch(from: JsonValue | undefined, to: JsonValue): JsonObject | undefined {
  if (!isJsonObject(from) || !isJsonObject(to)) return undefined
  const changes: [string, JsonValue][] = []
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) changes.push([name, null])
  for (const [name, after] of Object.entries(to)) {
    const before = Object.hasOwn(from, name) ? from[name] : undefined
    if (before !== undefined && equalJson(before, after)) continue
    const change = createPatch(before, after) ?? after
    if (!saysExactly(before, change, after)) return undefined
    changes.push([name, change])
  }
  return Object.fromEntries(changes)
}

/** Whether two JSON values are equal, regardless of the order of their properties. */
export function equalJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameItem(item, b[index]))
  if (!isJsonObject(a) || !isJsonObject(b)) return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && sameItem(a[name], b[name]))
}

const sameItem = (a: JsonValue | undefined, b: JsonValue | undefined): boolean => a !== undefined && b !== undefined && equalJson(a, b)

/** A null inside a new object would be applied as a removal, so a patch cannot express such a change. */
const saysExactly = (before: JsonValue | undefined, change: JsonValue, after: JsonValue): boolean =>
  change !== null && equalJson(applyPatch(before, change), after)
