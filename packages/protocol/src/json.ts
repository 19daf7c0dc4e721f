/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue }

/** A JSON object: not an array, not null. */
export type JsonObject = { [name: string]: JsonValue }

/** Whether a value is a JSON object. */
export const isJsonObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Whether a value survives JSON: no binary, `undefined`, holes, NaN, class instances or cycles, and at most `maxDepth` levels
 * of nesting. Never recurses deeper than that for any input. Properties that JSON omits silently, such as those named by
 * symbols, are not checked.
 */
export function isJsonValue(value: unknown, maxDepth: number): value is JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || maxDepth <= 0 || !(Array.isArray(value) || isPlain(value))) return false
  // The iterator of an array returns holes as `undefined`.
  for (const item of Array.isArray(value) ? value : Object.values(value)) if (!isJsonValue(item, maxDepth - 1)) return false
  return true
}

/**
 * Whether a value is an object literal and not an instance of a class. Objects of another realm (a frame, a vm context) have
 * another `Object.prototype`, which has no prototype either.
 */
export function isPlain(value: object): value is { [name: string]: unknown } {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
