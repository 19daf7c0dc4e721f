import fc from 'fast-check'

/** The values that an option accepts by its documentation, written independently of the code that validates it. */
export interface Kind {
  readonly good: readonly unknown[]
  readonly isGood: (value: unknown) => boolean
}

const MAX_TIMER = 2 ** 31 - 1

/** A whole number. */
export const whole = (least: number, most = MAX_TIMER): Kind => ({
  good: [least, least + 1, Math.min(12_345, most)],
  isGood: (value) => typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most,
})

export const flag: Kind = { good: [true, false], isGood: (value) => typeof value === 'boolean' }

export const callback: Kind = { good: [() => {}], isGood: (value) => typeof value === 'function' }

/** Strings, of which only these are certain to be valid. */
export const text = (...good: string[]): Kind => ({ good, isGood: (value) => typeof value === 'string' })

/** Strings of which nothing else is right. */
export const oneOf = (...good: string[]): Kind => ({ good, isGood: (value) => good.some((one) => one === value) })

/** An object: only these are certain to be valid, and no primitive is. */
export const object = (...good: object[]): Kind => ({
  good,
  isGood: (value) => (typeof value === 'object' && value !== null) || typeof value === 'function',
})

/** Any value at all. */
export const anything: Kind = { good: [0, null, 'text', { a: [1] }], isGood: () => true }

const JUNK: readonly unknown[] = [
  ...[null, true, false, '', 'text', '5', 0, -1, 1.5, Number.NaN, Infinity, -Infinity, 2 ** 53, 1n, Symbol('junk')],
  ...[[], ['text'], {}, { a: 1 }, () => 1, new Date(0), new Map(), /junk/, Object(5), new String('text')],
]

/** Values that an option of this kind does not accept: common mistakes first, then any. */
export function badValues({ isGood }: Kind, count: number, seed: number): unknown[] {
  if (isGood(Symbol('any'))) return []
  const drawn = fc.anything({ withBigInt: true, withDate: true, withMap: true }).filter((value) => value !== undefined && !isGood(value))
  return [...JUNK.filter((value) => !isGood(value)), ...fc.sample(drawn, { numRuns: count, seed })]
}

/** Names that no option has. */
export const unknownNames = (known: readonly string[], count: number, seed: number): string[] =>
  [
    ...known.map((name) => `${name}s`),
    ...known.map((name) => name.toUpperCase()),
    ...['constructor', 'toString', 'debug'],
    ...fc.sample(fc.string({ minLength: 1 }), { numRuns: count, seed }),
  ].filter((name) => !known.includes(name) && name !== '__proto__')
