import { expect, test } from 'vitest'
import { clientAddress } from '../src/access/client-address.ts'
import { isSameOrigin } from '../src/access/same-origin.ts'

test.each([
  [undefined, 0, '10.0.0.1'],
  [undefined, 1, '10.0.0.1'],
  ['1.1.1.1', 0, '10.0.0.1'],
  ['1.1.1.1', 1, '1.1.1.1'],
  ['6.6.6.6, 1.1.1.1', 1, '1.1.1.1'],
  ['6.6.6.6,2.2.2.2 ,1.1.1.1', 2, '2.2.2.2'],
  ['1.1.1.1', 3, '1.1.1.1'],
  [' , ,', 1, '10.0.0.1'],
])('[X5] X-Forwarded-For %j behind %d proxies is %s', (forwarded, trustProxy, address) => {
  expect(clientAddress({ 'x-forwarded-for': forwarded }, '10.0.0.1', trustProxy)).toBe(address)
})

test.each([
  [{ host: 'app.example' }, true],
  [{ host: 'app.example', origin: 'https://app.example' }, true],
  [{ ':authority': 'app.example', origin: 'https://app.example' }, true],
  [{ host: 'app.example:8443', origin: 'https://app.example' }, false],
  [{ host: 'app.example', origin: 'https://app.example.foe.example' }, false],
  [{ host: 'app.example', origin: 'null' }, false],
  [{ host: 'app.example', origin: '' }, false],
  [{ origin: 'https://app.example' }, false],
])('[X1] headers %j are of the server’s own origin: %s', (headers, own) => expect(isSameOrigin(headers)).toBe(own))
