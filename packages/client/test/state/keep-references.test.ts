import type { JsonValue } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { isSameJson } from '../../src/state/keep-references.ts'

const named = (name: string, value: JsonValue): JsonValue => Object.fromEntries([[name, value]])

const VALUES: (JsonValue | undefined)[] = [
  undefined,
  null,
  false,
  0,
  1,
  '',
  '0',
  [],
  [null],
  [0],
  [[]],
  [1, 2],
  [2, 1],
  {},
  { 0: 0 },
  { a: null },
  { a: 1 },
  { b: 1 },
  { a: 1, b: 2 },
  { b: 2, a: 1 },
  { a: { b: [1, { c: 2 }] } },
  { a: { b: [1, { c: 3 }] } },
  { length: 0 },
  { toString: 1 },
  named('__proto__', {}),
  named('__proto__', { a: 1 }),
]

test('[S13] two values are equal exactly if their texts are', () => {
  for (const a of VALUES) {
    for (const b of VALUES) {
      const copy = structuredClone(b)
      expect(isSameJson(a, copy), `${JSON.stringify(a)} ${JSON.stringify(b)}`).toBe(JSON.stringify(a) === JSON.stringify(b))
    }
  }
})
