import { jsonCopy } from './json-copy.ts'
import { isJsonValue, type JsonValue } from './json.ts'
import { MAX_VALUE_DEPTH } from './limits.ts'
import { RealtimeError } from './realtime-error.ts'

/** The value itself, or throws `INVALID_VALUE` for what JSON cannot say or what is nested too deeply (X4). */
export function parseValue(value: unknown): JsonValue {
  if (isJsonValue(value, MAX_VALUE_DEPTH)) return value
  // Names the part that is not JSON. Without one it is a property that is `undefined`, which a copy leaves out.
  jsonCopy(value)
  throw new RealtimeError('INVALID_VALUE', { message: 'Not JSON: a property is undefined.' })
}
