import { isPlain, type JsonValue } from './json.ts'
import { MAX_VALUE_DEPTH } from './limits.ts'
import { RealtimeError } from './realtime-error.ts'

/**
 * A copy of a value as JSON. Reads each property once. As in JSON, properties that are `undefined` are left out and -0 becomes 0.
 *
 * @throws {RealtimeError} `INVALID_VALUE` with the path and kind of the first part that is not JSON.
 */
export function jsonCopy(value: unknown, path = 'value', levels = MAX_VALUE_DEPTH): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value || 0
  let kind: unknown = typeof value === 'number' ? value : typeof value
  if (typeof value === 'object' && levels > 0)
    try {
      // The iterator of an array returns holes as `undefined`.
      if (Array.isArray(value)) return Array.from(value, (item, index) => jsonCopy(item, `${path}.${index}`, levels - 1))
      // `Object.fromEntries` defines properties instead of assigning them: a property named `__proto__` is data.
      if (isPlain(value))
        return Object.fromEntries(
          Object.entries(value).flatMap(([name, item]) =>
            item === undefined ? [] : [[name, jsonCopy(item, `${path}.${name}`, levels - 1)]],
          ),
        )
      kind = value.constructor.name
    } catch (error) {
      if (error instanceof RealtimeError) throw error
      // A getter or a proxy of the application threw.
      kind = error
    }
  throw new RealtimeError('INVALID_VALUE', {
    message: `Invalid value at ${path}: ${String(kind)} is not JSON, or is nested more than ${MAX_VALUE_DEPTH} levels deep.`,
    cause: kind,
  })
}
