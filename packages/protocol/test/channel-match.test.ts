import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesChannel } from '../src/index.ts'
import { patternsOf } from '../src/internal.ts'

const channel = fc.array(fc.constantFrom('a', 'b', 'ab', 'chat'), { minLength: 1, maxLength: 4 }).map((segments) => segments.join(':'))
const pattern = fc.oneof(
  channel,
  fc.constant('*'),
  channel.map((name) => `${name}:*`),
)

test.each([
  ['chat:*', 'chat:room1', true],
  ['chat:*', 'chat:room1:typing', true],
  ['chat:*', 'chat', false],
  ['chat:*', 'chats:room1', false],
  ['chat:*', 'my:chat:room1', false],
  ['chat:room1:*', 'chat:room1', false],
  ['*', 'chat', true],
  ['*', 'chat:room1', true],
  ['chat', 'chat', true],
  ['chat', 'chat:room1', false],
  ['chat:room1', 'chat', false],
  ['chat:r*', 'chat:room1', false],
])('[E3] %s over %s: %j', (subscribed, published, covers) => {
  expect(matchesChannel(subscribed, published)).toBe(covers)
})

test('[E3] patternsOf lists every matching pattern, from the widest to the narrowest', () => {
  expect(patternsOf('a:b:c')).toEqual(['*', 'a:*', 'a:b:*', 'a:b:c'])
  expect(patternsOf('a')).toEqual(['*', 'a'])
})

test('[E3] patternsOf and matchesChannel agree', () => {
  fc.assert(
    fc.property(pattern, channel, (p, c) => matchesChannel(p, c) === patternsOf(c).includes(p)),
    { numRuns: 2000 },
  )
})

test('[E1] patternsOf lists no pattern twice', () => {
  fc.assert(fc.property(channel, (c) => new Set(patternsOf(c)).size === patternsOf(c).length))
})
