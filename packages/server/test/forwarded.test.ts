import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clientAddress } from '../src/authentication/client-address.ts'
import { forwardedRequest } from '../src/authentication/forwarded.ts'

const PEER = '10.0.0.1'

test.each([
  [undefined, 0, PEER],
  [undefined, 1, PEER],
  ['192.0.2.1', 0, PEER],
  ['192.0.2.1', 1, '192.0.2.1'],
  ['192.0.2.6, 192.0.2.1', 1, '192.0.2.1'],
  ['192.0.2.6,192.0.2.2 ,192.0.2.1', 2, '192.0.2.2'],
  ['192.0.2.1', 3, '192.0.2.1'],
  [' , ,', 1, PEER],
  ['192.0.2.6, 192.0.2.1:5678', 1, '192.0.2.1'],
  ['192.0.2.6, [2001:DB8::1]:443', 1, '2001:db8::1'],
  ['192.0.2.6, unknown', 1, 'unknown'],
  ['192.0.2.6, rubbish', 1, 'unknown'],
])('[X5] X-Forwarded-For %j behind %d proxies is %s', (forwarded, trustProxy, address) => {
  expect(clientAddress({ 'x-forwarded-for': forwarded }, PEER, trustProxy)).toBe(address)
})

test.each([
  ['for=192.0.2.1', 0, PEER],
  ['for=192.0.2.1', 1, '192.0.2.1'],
  ['for=192.0.2.6, For="[2001:DB8::1]:4711";proto=https', 1, '2001:db8::1'],
  ['for=192.0.2.6, for=192.0.2.2;by=203.0.113.43, for=192.0.2.1', 2, '192.0.2.2'],
  ['for="_hidden:_port"', 1, '_hidden'],
  ['for=unknown', 1, 'unknown'],
  ['proto=https', 1, 'unknown'],
  ['for="192.0.2.6, for=192.0.2.1', 1, '192.0.2.1'],
  ['for="192.0.2.6", for="[2001:db8::1]"', 1, '2001:db8::1'],
  ['', 1, PEER],
])('[X5] Forwarded %j behind %d proxies is %s', (forwarded, trustProxy, address) => {
  expect(clientAddress({ forwarded }, PEER, trustProxy)).toBe(address)
})

test('[X8] a peer without an address is unknown, with and without proxies', () => {
  expect(clientAddress({}, undefined, 0)).toBe('unknown')
  expect(clientAddress({}, undefined, 1)).toBe('unknown')
  expect(clientAddress({ 'x-forwarded-for': '192.0.2.1' }, undefined, 1)).toBe('192.0.2.1')
})

test('[X5] no text of the client changes the address that a trusted proxy appends', () => {
  const text = fc.string({ unit: fc.constantFrom('"', '\\', ',', ';', '=', ' ', 'for', '[', ']', ':', '1', 'a'), maxLength: 30 })
  fc.assert(
    fc.property(text, (written) => {
      expect(clientAddress({ 'x-forwarded-for': `${written}, 192.0.2.1` }, PEER, 1)).toBe('192.0.2.1')
      const forwarded = `${written}, for="[2001:db8::1]:80";host="app.example:8443";proto=https`
      expect(clientAddress({ forwarded }, PEER, 1)).toBe('2001:db8::1')
      expect(forwardedRequest({ forwarded }, 1)).toEqual({ host: 'app.example:8443', proto: 'https' })
    }),
  )
})

test.each([
  [{ 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' }, 0, undefined, undefined],
  [{ 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'HTTPS' }, 1, 'app.example', 'https'],
  [{ 'x-forwarded-host': 'foe.example, app.example' }, 1, 'app.example', undefined],
  [{ 'x-forwarded-host': 'foe.example, app.example, inner:80', 'x-forwarded-proto': 'https, http' }, 2, 'app.example', 'https'],
  [{ 'x-forwarded-host': 'app.example' }, 2, 'app.example', undefined],
  [{ forwarded: 'host=foe.example, for=192.0.2.1;host="app.example:8443";proto=https' }, 1, 'app.example:8443', 'https'],
  [{ forwarded: 'host=foe.example', 'x-forwarded-host': 'app.example' }, 1, 'app.example', undefined],
])('[X1] headers %j behind %d proxies name the host %s and the scheme %s', (headers, trustProxy, host, proto) => {
  expect(forwardedRequest(headers, trustProxy)).toEqual({ host, proto })
})
