import fc from 'fast-check'
import { normalizeKey } from 'unstorage'
import { describe, expect, test } from 'vitest'
import {
  MAX_NAME_BYTES,
  RealtimeError,
  isKey,
  parseChannel,
  parseKey,
  parsePattern,
  parsePrefix,
  parseRoom,
  type ErrorCode,
} from '../src/index.ts'
import { isPattern, isSubscribable } from '../src/internal.ts'

const GOOD = [
  'a',
  'A-b_c.d',
  'todos:1',
  'a:b:c',
  'über:日本:🎉',
  '.a',
  'a.',
  '...',
  'a b',
  ' ',
  '__proto__',
  'constructor:x',
  'x'.repeat(256),
]
const BAD: unknown[] = [
  '',
  ':',
  ':a',
  'a:',
  'a::b',
  '.',
  '..',
  'a:.',
  '..:a',
  'a:.:b',
  'a/b',
  'a\\b',
  'q?1',
  'a$',
  'a{b}',
  '}',
  '*',
  'a:*',
  'a\u0000',
  'a\nb',
  'a\u007F',
  'a\u0085',
  '\uD800',
  'a\uDC00b',
  'x'.repeat(257),
  '日'.repeat(86),
  undefined,
  null,
  1,
  true,
  [],
  ['a'],
  {},
  Buffer.from('a'),
  // An object that resembles a string only while it is checked.
  { toString: () => 'a', length: 1 },
]

const codeOf = (act: () => unknown): ErrorCode | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof RealtimeError) return error.code
    throw error
  }
}

const nameLike = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'B', '7', ':', '.', '/', '\\', '?', '$', '{', '*', '-', '_', ' ', '\n', 'é', '日'),
    maxLength: 12,
  }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
)

test.each([
  ['key', parseKey],
  ['prefix', parsePrefix],
  ['channel', parseChannel],
  ['channel or pattern', parsePattern],
  ['room name', parseRoom],
])('[X4] a value that is not a %s is refused with a message that names it', (what, parse) => {
  expect(() => parse('a$:')).toThrow(`Invalid ${what} "a$:": it must be well-formed`)
})

test('[X4] a refusal shows at most 64 escaped characters of a name, and no other value', () => {
  expect(() => parseKey(`a\n${'b'.repeat(300)}`)).toThrow(`Invalid key "a\\n${'b'.repeat(62)}": it must be at most 256 bytes.`)
  expect(() => parseKey(7)).toThrow('Invalid key: it must be a string.')
})

describe('keys', () => {
  test.each(GOOD)('[S19] %j is a key', (key) => {
    expect(parseKey(key)).toBe(key)
    expect(isKey(key)).toBe(true)
  })

  test.each(BAD.map((key) => [key]))('[S19] %j is refused as INVALID_KEY', (key) => {
    expect(codeOf(() => parseKey(key))).toBe('INVALID_KEY')
    expect(isKey(key)).toBe(false)
  })

  test('[S19] every key equals its own normalised form in unstorage', () => {
    fc.assert(
      fc.property(nameLike, (name) => !isKey(name) || normalizeKey(name) === name),
      { numRuns: 3000 },
    )
  })

  test('[S19] a name that unstorage would change is never a key', () => {
    fc.assert(
      fc.property(nameLike, (name) => normalizeKey(name) === name || !isKey(name)),
      { numRuns: 3000 },
    )
  })

  test('[S19] every key has 1 to 256 UTF-8 bytes, is well-formed and survives UTF-8', () => {
    const holds = (name: string) => {
      const bytes = new TextEncoder().encode(name)
      return !isKey(name) || (bytes.length >= 1 && bytes.length <= MAX_NAME_BYTES && new TextDecoder().decode(bytes) === name)
    }
    fc.assert(fc.property(nameLike, holds), { numRuns: 3000 })
  })

  test('[S19] the limit counts bytes, not characters', () => {
    expect(isKey('é'.repeat(128))).toBe(true)
    expect(isKey('é'.repeat(128) + 'a')).toBe(false)
    expect(isKey('🎉'.repeat(64))).toBe(true)
    expect(isKey('🎉'.repeat(65))).toBe(false)
  })

  test('[S19] a very long name is refused quickly', () => {
    expect(isKey('a:'.repeat(5_000_000))).toBe(false)
  })

  test.each([
    [12, 'Invalid key: it must be a string.'],
    ['', 'Invalid key "": it must not have a segment that is empty, . or ...'],
    ['x'.repeat(300), '": it must be at most 256 bytes.'],
    ['a/b', 'Invalid key "a/b": it must be well-formed Unicode without $ { } * ? / \\ and control characters.'],
    ['a::b', 'Invalid key "a::b": it must not have a segment that is empty, . or ...'],
    ['a:..', 'Invalid key "a:..": it must not have a segment that is empty, . or ...'],
  ])('[S19] the refusal of %j contains the reason', (key, message) => {
    expect(() => parseKey(key)).toThrow(message)
  })
})

describe('prefixes', () => {
  test.each(['todos:', 'a:b:', '日:'])('[S17] %j is a prefix', (prefix) => expect(parsePrefix(prefix)).toBe(prefix))

  test.each([['todos'], [':'], [''], ['a::'], ['a:*'], ['..:'], [undefined], [{ endsWith: () => true }]])(
    '[S17] %j is refused as INVALID_KEY',
    (prefix) => expect(codeOf(() => parsePrefix(prefix))).toBe('INVALID_KEY'),
  )
})

describe('channels and patterns', () => {
  test.each(GOOD)('[E3] %j is a channel, and can be subscribed to', (channel) => {
    expect(parseChannel(channel)).toBe(channel)
    expect(parsePattern(channel)).toBe(channel)
    expect([isPattern(channel), isSubscribable(channel)]).toEqual([false, true])
  })

  test.each(['*', 'chat:*', 'a:b:*', '日:*'])('[E3] %j can be subscribed to, not published on', (pattern) => {
    expect(parsePattern(pattern)).toBe(pattern)
    expect([isPattern(pattern), isSubscribable(pattern)]).toEqual([true, true])
    expect(codeOf(() => parseChannel(pattern))).toBe('INVALID_CHANNEL')
  })

  test.each([
    ['**'],
    ['a*'],
    ['*a'],
    ['*:a'],
    ['a:*:b'],
    ['a:**'],
    ['*:*'],
    [':*'],
    ['a::*'],
    ['..:*'],
    ['a/b:*'],
    [''],
    [null],
    [7],
    [['*']],
  ])('[E3] %j is refused as INVALID_CHANNEL', (pattern) => {
    expect(codeOf(() => parsePattern(pattern))).toBe('INVALID_CHANNEL')
    expect(isSubscribable(pattern)).toBe(false)
  })

  test('[E3] isPattern is false for a value that is not a string', () => {
    expect(isPattern(undefined)).toBe(false)
    expect(isPattern({ endsWith: () => true })).toBe(false)
  })
})

describe('rooms', () => {
  test('[R3] proj and proj:1 are two rooms', () => expect(parseRoom('proj')).not.toBe(parseRoom('proj:1')))

  test.each(BAD.map((room) => [room]))('[R3] %j is refused as INVALID_ROOM', (room) => {
    expect(codeOf(() => parseRoom(room))).toBe('INVALID_ROOM')
  })
})
