import { expect, test } from 'vitest'
import { isSameOrigin } from '../src/access/same-origin.ts'

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
