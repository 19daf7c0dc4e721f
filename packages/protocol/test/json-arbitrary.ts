import fc from 'fast-check'
import type { JsonObject, JsonValue } from '../src/index.ts'

// Few names and few values, so that two random objects have a lot in common; `__proto__` is a name like any other.
const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor')
const scalar = fc.constantFrom<JsonValue>(null, true, 0, 1, 'x', '')

const { object, value } = fc.letrec<{ object: JsonObject; value: JsonValue }>((tie) => ({
  object: fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((entries): JsonObject => Object.fromEntries(entries)),
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    { arbitrary: scalar, weight: 2 },
    { arbitrary: tie('object'), weight: 3 },
    { arbitrary: fc.array(scalar, { maxLength: 3 }), weight: 1 },
  ),
}))

/** Random JSON values. */
export const jsonValue: fc.Arbitrary<JsonValue> = value

/** Random JSON objects, often with names in common. */
export const jsonObject: fc.Arbitrary<JsonObject> = object
