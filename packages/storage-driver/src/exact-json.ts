import { MAX_VALUE_DEPTH, isJsonValue, type JsonValue } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'

/**
 * Whether a value represents its JSON text exactly, so that the text can be written again from the value (S20). A single
 * number, boolean or null must be written as JavaScript writes it: `1.10`, `1e5` and ` 5 ` may be strings stored through
 * unstorage. In an object or array each number must keep the value in the text, no name may occur twice in an object, and the
 * nesting must not exceed that of clients.
 */
export function isExact(value: JsonValue, text: string): boolean {
  if (typeof value === 'string') return true
  // A value that JSON cannot represent, such as infinity, would become `null`.
  if (!isJsonValue(value, MAX_VALUE_DEPTH)) return false
  if (JSON.stringify(value) === text) return true
  return typeof value === 'object' && value !== null && namesOfText(text) === namesOf(value)
}

// JavaScript needs 25 characters at most; longer numbers contain zeros or digits that are lost.
const MAX_NUMBER_LENGTH = 400

/** The number of properties named in a JSON text, or `undefined` if one of its numbers is not exact. */
function namesOfText(text: string): number | undefined {
  let names = 0
  for (let at = 0; at < text.length;) {
    const start = at
    if (text[at] === '"') {
      at = endOfString(text, at)
      if (isName(text, at)) names += 1
    } else if (beginsNumber(text[at])) {
      while (isNumberCharacter(text[at])) at += 1
      const token = text.slice(start, at)
      if (token.length > MAX_NUMBER_LENGTH || decimalOf(token) !== decimalOf(String(Number(token)))) return undefined
    } else at += 1
  }
  return names
}

/** The end of the string that begins there. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** Whether the string that ends there is the name of a property. */
function isName(text: string, end: number): boolean {
  let at = end
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1
  return text[at] === ':'
}

// `true` and `false` have an `e`, but do not begin with a digit.
const beginsNumber = (character: string | undefined): boolean => character !== undefined && /[\d-]/.test(character)

const isNumberCharacter = (character: string | undefined): boolean => character !== undefined && /[\d.eE+-]/.test(character)

/** The number of properties of a value at all depths: a name that occurred twice counts once. */
function namesOf(value: JsonValue): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + namesOf(item), 0)
  if (!isJsonObject(value)) return 0
  return Object.values(value).reduce<number>((sum, item) => sum + 1 + namesOf(item), 0)
}

/** A decimal number in one form: its sign, its digits without zeros around them, and its exponent. */
function decimalOf(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return `${sign}0`
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}
