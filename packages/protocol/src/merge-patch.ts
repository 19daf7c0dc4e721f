import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'

// JSON Merge Patch (RFC 7396), as S8 uses it. Properties are defined and never assigned: a property named `__proto__` is data
// like any other.

/** The value that a patch makes of another (RFC 7396, section 2). Neither argument is changed; absent is `undefined`. */
export function applyPatch(value: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch
  const base = isJsonObject(value) ? value : {}
  const changes = Object.entries(patch)
  // What a name like `constructor` inherits is no JSON object with properties of its own.
  const changed = changes.map(([name, change]): [string, JsonValue] => [name, applyPatch(base[name], change)])
  const merged = { ...base, ...Object.fromEntries(changed) }
  for (const [name, change] of changes) if (change === null) delete merged[name]
  return merged
}

/**
 * One patch that does what `first` and then `second` do to any value, or `undefined` where none exists
 * (`second` merges into something that `first` replaced).
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
 * The patch that leads from one value to another, or `undefined` where RFC 7396 cannot say it: a property that becomes
 * null, or a root that is no object on both sides. Equal values give `{}`.
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

/** Tells whether two JSON values are the same, whatever the order of their properties. */
export function equalJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameItem(item, b[index]))
  if (!isJsonObject(a) || !isJsonObject(b)) return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && sameItem(a[name], b[name]))
}

const sameItem = (a: JsonValue | undefined, b: JsonValue | undefined): boolean => a !== undefined && b !== undefined && equalJson(a, b)

/** A null inside a new object would be read as a removal, so such a change cannot be said. */
const saysExactly = (before: JsonValue | undefined, change: JsonValue, after: JsonValue): boolean =>
  change !== null && equalJson(applyPatch(before, change), after)
