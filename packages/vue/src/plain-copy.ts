import type { JsonValue } from '@tutti/protocol'

/**
 * A copy of JSON, for `structuredClone` fails on reactive objects. Properties that are `undefined` are left out, as JSON does;
 * what is no JSON after all (a date, a class instance, a cycle) stays in its place, for the client to refuse.
 */
export function plainCopy(value: JsonValue): JsonValue
export function plainCopy(value: unknown): unknown
export function plainCopy(value: unknown): unknown {
  return copy(value, [])
}

/** Tells an object literal and an array from an instance of a class. Objects of other frames have an `Object.prototype` of their own. */
export function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** `above`: the objects that the value stands in. */
function copy(value: unknown, above: unknown[]): unknown {
  if (typeof value !== 'object' || value === null || !isPlain(value) || above.includes(value)) return value
  above.push(value)
  const copied = Array.isArray(value)
    ? value.map((item: unknown) => copy(item, above))
    : Object.fromEntries(
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([name, item]) => [name, copy(item, above)]),
      )
  above.pop()
  return copied
}
