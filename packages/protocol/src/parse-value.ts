import { jsonCopy } from './json-copy.ts'
import { isJsonValue, type JsonValue } from './json.ts'
import { MAX_VALUE_DEPTH } from './limits.ts'
import { RealtimeError } from './realtime-error.ts'

/**
 * The value itself.
 *
 * @throws {RealtimeError} `INVALID_VALUE` if JSON cannot represent the value or it is nested more than 64 levels deep.
 */
export function parseValue(value: unknown): JsonValue {
  if (isJsonValue(value, MAX_VALUE_DEPTH)) return value
  // Throws with the path of the part that is not JSON. If there is none, the cause is a property that is `undefined`, which a
  // copy omits.
  jsonCopy(value)
  throw new RealtimeError('INVALID_VALUE', { message: 'Invalid value: a property is undefined, which is not JSON.' })
}
