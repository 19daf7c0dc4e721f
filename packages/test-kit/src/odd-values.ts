/** A value that an application may put into its state by mistake, or an unusual but valid one. */
export interface OddValue {
  readonly name: string
  /** Creates a new one. */
  readonly make: () => unknown
  /** Its JSON as a property; `undefined` if it is not JSON. */
  readonly json: string | undefined
}

class Point {
  x = 1
}

class Celsius {
  toJSON(): number {
    return 20
  }
}

const nested = (levels: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { a: value }
  return value
}

const cycle = (): unknown => {
  const value: { name: string; self?: unknown } = { name: 'cycle' }
  value.self = [value]
  return value
}

/** With many paths around. */
const cycles = (): unknown => {
  const parent: { children?: unknown } = {}
  parent.children = Array.from({ length: 8 }, () => ({ parent }))
  return parent
}

/** Throws. */
export const thrower = (): never => {
  throw new Error('Not to be read.')
}

/** A proxy that throws on every access. */
export const revokedProxy = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const notJson: Readonly<Record<string, () => unknown>> = {
  NaN: () => Number.NaN,
  Infinity: () => Infinity,
  '-Infinity': () => -Infinity,
  bigint: () => 1n,
  symbol: () => Symbol('odd'),
  function: () => () => 1,
  Date: () => new Date(0),
  'invalid Date': () => new Date(Number.NaN),
  RegExp: () => /odd/,
  Map: () => new Map([['a', 1]]),
  Set: () => new Set([1]),
  WeakMap: () => new WeakMap(),
  Error: () => new Error('odd'),
  Promise: () => Promise.resolve(1),
  URL: () => new URL('http://localhost/'),
  ArrayBuffer: () => new ArrayBuffer(1),
  'typed array': () => new Uint8Array(1_000),
  'boxed number': () => Object(1) as unknown,
  'boxed string': () => Object('odd') as unknown,
  'class instance': () => new Point(),
  'class with toJSON': () => new Celsius(),
  'object with toJSON': () => ({ toJSON: () => 1 }),
  'object made from another': () => Object.setPrototypeOf({}, { a: 1 }) as object,
  cycle,
  cycles,
  'too deep': () => nested(100),
  'much too deep': () => nested(20_000),
  'list with undefined': () => [undefined],
  'list with holes': () => Array<number>(3),
  'sparse list': () => Object.assign([], { 4_000_000: 1 }),
  'getter that throws': () => Object.defineProperty({}, 'a', { get: thrower, enumerable: true, configurable: true }),
  'fixed getter that throws': () => Object.defineProperty({}, 'a', { get: thrower, enumerable: true }),
  'proxy that throws': () => new Proxy({}, { getPrototypeOf: thrower, ownKeys: thrower }),
  'revoked proxy': revokedProxy,
}

const json: Readonly<Record<string, readonly [() => unknown, string]>> = {
  '-0': [() => -0, '0'],
  'half a surrogate pair': [() => '\ud83d', String.raw`"\ud83d"`],
  'half a surrogate pair in a name': [() => ({ '\ude00': 1 }), String.raw`{"\ude00":1}`],
  'property named __proto__': [() => JSON.parse('{"__proto__":{"a":1}}') as unknown, '{"__proto__":{"a":1}}'],
  'object without a prototype': [() => Object.setPrototypeOf({ a: 1 }, null) as object, '{"a":1}'],
  'property that is undefined': [() => ({ a: undefined, b: 1 }), '{"b":1}'],
  'property named by a symbol': [() => ({ [Symbol('odd')]: 1, b: 1 }), '{"b":1}'],
  getter: [() => Object.defineProperty({}, 'a', { get: () => 1, enumerable: true, configurable: true }), '{"a":1}'],
  'frozen object': [() => Object.freeze({ a: Object.freeze([1]) }), '{"a":[1]}'],
  'deepest allowed': [() => nested(58), JSON.stringify(nested(58))],
}

/** Values that change detection and copies must handle. */
export const oddValues: readonly OddValue[] = [
  ...Object.entries(notJson).map(([name, make]) => ({ name, make, json: undefined })),
  ...Object.entries(json).map(([name, [make, text]]) => ({ name, make, json: text })),
]
