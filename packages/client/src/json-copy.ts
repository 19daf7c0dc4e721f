import { parseValue, type JsonValue } from '@tutti/protocol'

/**
 * A copy of a value that the application handed over: what it changes in its own object later (a form, a reactive proxy)
 * must not change what waits to be sent. Throws `INVALID_VALUE` for what JSON can't say.
 */
export function jsonCopy(value: unknown): JsonValue {
  return parseValue(JSON.parse(JSON.stringify(parseValue(value))))
}
