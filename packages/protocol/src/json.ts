/** Whatever JSON can say. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue }

/** A JSON object: not an array, not null. */
export type JsonObject = { [name: string]: JsonValue }

/** Tells a JSON object from every other value. */
export const isJsonObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Tells whether a value survives JSON unchanged: no binary, no `undefined`, no NaN, no class instances,
 * and at most `maxDepth` levels of nesting. Never recurses deeper than that, whatever is sent (X4).
 */
export function isJsonValue(value: unknown, maxDepth: number): value is JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || maxDepth <= 0) return false
  if (Array.isArray(value)) return value.every((item) => isJsonValue(item, maxDepth - 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.values(value).every((item) => isJsonValue(item, maxDepth - 1))
}
