import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limitKeyOf, normalAddress } from '../src/authentication/ip-address.ts'

// What a proxy or a socket may call a client, its normal form, and what the limits count it by.
test.each([
  ['203.0.113.7', '203.0.113.7', '203.0.113.7'],
  ['  203.0.113.7\t', '203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:5678', '203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:_port', '203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7', '203.0.113.7'],
  ['::FFFF:cb00:7107', '203.0.113.7', '203.0.113.7'],
  ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7', '203.0.113.7'],
  ['[::ffff:203.0.113.7]:443', '203.0.113.7', '203.0.113.7'],
  ['2001:db8::1', '2001:db8::1', '2001:db8::/64'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', '2001:db8::/64'],
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1', '2001:db8::/64'],
  ['[2001:db8::1]', '2001:db8::1', '2001:db8::/64'],
  ['[2001:db8::1]:443', '2001:db8::1', '2001:db8::/64'],
  ['2001:db8:0:0:ffff::7', '2001:db8::ffff:0:0:7', '2001:db8::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80::1', 'fe80::/64'],
  ['[fe80::1%25eth0]:80', 'fe80::1', 'fe80::/64'],
  ['::1', '::1', '::/64'],
  ['_hidden', '_hidden', '_hidden'],
  ['_SEVKISEK:_port', '_SEVKISEK', '_SEVKISEK'],
  [undefined, 'unknown', 'unknown'],
  ['', 'unknown', 'unknown'],
  ['unknown', 'unknown', 'unknown'],
  ['unknown:4711', 'unknown', 'unknown'],
  ['unix:', 'unknown', 'unknown'],
  ['i.am.lying', 'unknown', 'unknown'],
  ['999.0.113.7', 'unknown', 'unknown'],
  ['203.0.113', 'unknown', 'unknown'],
  ['010.0.0.1', 'unknown', 'unknown'],
  ['0x7f.0.0.1', 'unknown', 'unknown'],
  ['3405803783', 'unknown', 'unknown'],
  ['2001:db8::1::2', 'unknown', 'unknown'],
  ['[203.0.113.7]', 'unknown', 'unknown'],
  ['[2001:db8::1', 'unknown', 'unknown'],
  ['[2001:db8::1]443', 'unknown', 'unknown'],
  [`_${'x'.repeat(100)}`, 'unknown', 'unknown'],
  ['<script>', 'unknown', 'unknown'],
])('[X8] address %j has the normal form %s and the limit key %s', (given, normal, key) => {
  expect(normalAddress(given)).toBe(normal)
  expect(limitKeyOf(normal)).toBe(key)
})

const octet = fc.integer({ min: 0, max: 255 })
const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined })
const withPort = (address: string, number: number | undefined): string => (number === undefined ? address : `${address}:${number}`)

test('[X8] every spelling of one IPv4 address has one normal form', () => {
  fc.assert(
    fc.property(fc.tuple(octet, octet, octet, octet), port, fc.boolean(), (octets, number, mapped) => {
      const plain = octets.join('.')
      const spelled = mapped ? withPort(`[::ffff:${plain}]`, number) : withPort(plain, number)
      expect(normalAddress(spelled)).toBe(plain)
      expect(limitKeyOf(normalAddress(spelled))).toBe(plain)
    }),
  )
})

test('[X8] every spelling of one IPv6 address has one normal form and one limit key', () => {
  const spelling = fc.record({
    upper: fc.boolean(),
    pad: fc.boolean(),
    compress: fc.nat(7),
    bracket: fc.boolean(),
    number: port,
    zone: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), spelling, spelling, (groups, one, other) => {
      fc.pre(groups.slice(0, 5).some((part) => part !== 0)) // IPv4-mapped addresses have their own test
      const [first, second] = [spell(groups, one), spell(groups, other)]
      expect(normalAddress(first), `${first} and ${second}`).toBe(normalAddress(second))
      expect(normalAddress(normalAddress(first))).toBe(normalAddress(first))
      expect(normalAddress(first)).not.toBe('unknown')
      const neighbour = [...groups.slice(0, 4), 1, 2, 3, 4]
      expect(limitKeyOf(normalAddress(first))).toBe(limitKeyOf(normalAddress(spell(neighbour, other))))
    }),
  )
})

test('[X8] any text has a normal form that is its own normal form', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      const normal = normalAddress(text)
      expect(normalAddress(normal)).toBe(normal)
      expect(normal).toMatch(/^[\w.:-]+$/)
    }),
  )
})

interface Spelling {
  upper: boolean
  pad: boolean
  /** The group at which zeros are left out, if there are some. */
  compress: number
  bracket: boolean
  number: number | undefined
  zone: boolean
}

function spell(groups: readonly number[], { upper, pad, compress, bracket, number, zone }: Spelling): string {
  const parts = groups.map((part) => part.toString(16).padStart(pad ? 4 : 1, '0'))
  let end = compress
  while (groups[end] === 0) end++
  const text = end - compress > 1 ? `${parts.slice(0, compress).join(':')}::${parts.slice(end).join(':')}` : parts.join(':')
  const address = `${upper ? text.toUpperCase() : text}${zone ? '%eth0' : ''}`
  return bracket || number !== undefined ? withPort(`[${address}]`, number) : address
}
