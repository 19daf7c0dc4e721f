import { expect, test } from 'vitest'
import { createConnectRate } from '../src/connection/connect-rate.ts'

test('[X5] connection attempts are limited per address, by burst and by second', () => {
  let now = 0
  const rate = createConnectRate(10, () => now)
  const triesOf = (address: string): number => {
    for (let tries = 0; ; tries += 1) {
      try {
        rate.count(address)
      } catch (error) {
        expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) })
        expect(String(error)).toContain('10 connection attempts per second and address (connectsPerSecondPerAddress)')
        return tries
      }
    }
  }
  expect(triesOf('192.0.2.1')).toBe(10)
  expect(triesOf('192.0.2.2')).toBe(10)
  now += 500
  expect(triesOf('192.0.2.1')).toBe(5)
  now += 60_000
  expect(triesOf('192.0.2.1')).toBe(10)
  // One client has all addresses of a /64.
  expect(triesOf('2001:db8::1')).toBe(10)
  expect(triesOf('2001:db8::ffff')).toBe(0)
})

test('[X5] idle addresses are forgotten, those at their limit are not', () => {
  let now = 0
  const rate = createConnectRate(1, () => now)
  for (let number = 0; number < 1_000; number += 1) rate.count(`10.0.${number >> 8}.${number & 255}`)
  expect(rate.size).toBe(1_000)
  now += 1_500
  rate.count('192.0.2.1')
  expect(rate.size).toBe(1)
  for (let number = 0; number < 5_000; number += 1) rate.count(`10.1.${number >> 8}.${number & 255}`)
  expect(() => rate.count('192.0.2.1')).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }))
})
