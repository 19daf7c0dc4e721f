/** Whatever JSON can say. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue }

/** A JSON object: not an array, not null. */
export type JsonObject = { [name: string]: JsonValue }

/** Tells a JSON object from every other value. */
export const isJsonObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Tells whether a value survives JSON: no binary, no `undefined`, no holes, no NaN, no class instances, no cycles,
 * and at most `maxDepth` levels of nesting. Never recurses deeper than that, whatever is sent (X4).
 * What JSON leaves out without a word, such as properties named by symbols, is not looked at.
 */
export function isJsonValue(value: unknown, maxDepth: number): value is JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || maxDepth <= 0 || !(Array.isArray(value) || isPlain(value))) return false
  // The iterator of an array gives holes as `undefined`.
  for (const item of Array.isArray(value) ? value : Object.values(value)) if (!isJsonValue(item, maxDepth - 1)) return false
  return true
}

/**
 * Tells an object literal from an instance of a class. Objects of another realm (a frame, a vm context) have another
 * `Object.prototype`, which has no prototype either.
 */
export function isPlain(value: object): value is { [name: string]: unknown } {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
