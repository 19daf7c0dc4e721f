import { expect, test } from 'vitest'
import { shareHandshake, shareHeaders } from '../src/connection/shared-headers.ts'

test('headers keep their names, values and order', () => {
  const headers = { cookie: 'a=1', 'user-agent': 'Browser', host: 'app.example', 'set-cookie': ['a', 'b'], origin: undefined }
  const before = structuredClone(headers)
  for (let times = 0; times < 2; times += 1) {
    shareHeaders(headers)
    expect(headers).toEqual(before)
    expect(Object.keys(headers)).toEqual(Object.keys(before))
  }
})

test('no header is added', () => {
  const headers = {}
  shareHeaders(headers)
  expect(headers).toEqual({})
})

test('many and long values stay what they are', () => {
  for (let index = 0; index < 2_100; index += 1) {
    const value = `${index}`.padEnd(index % 2 === 0 ? 10 : 1_000)
    const headers = { 'user-agent': value }
    shareHeaders(headers)
    expect(headers['user-agent']).toBe(value)
  }
})

test('headers that cannot be changed stay as they are', () => {
  const headers = Object.freeze({ 'user-agent': 'Browser' })
  shareHeaders(headers)
  expect(headers).toEqual({ 'user-agent': 'Browser' })
})

test('a handshake keeps its time and its address', () => {
  for (const url of ['/socket.io/?EIO=4', '/socket.io/?EIO=4', `/${'x'.repeat(1_000)}`]) {
    const handshake = { time: `at ${url.length}`, url }
    shareHandshake(handshake)
    expect(handshake).toEqual({ time: `at ${url.length}`, url })
  }
})
