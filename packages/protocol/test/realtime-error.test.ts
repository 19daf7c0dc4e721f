import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERROR_CODES, RealtimeError, fromWireError, isRetryable, toWireError, type ErrorCode } from '../src/index.ts'

const codes = Object.keys(ERROR_CODES) as ErrorCode[]
const fixture: unknown = JSON.parse(readFileSync(new URL('fixtures/protocol-1/errors.json', import.meta.url), 'utf8'))

test('[X7] codes and whether they are retryable are as clients of protocol 1 know them', () => {
  expect(Object.fromEntries(codes.map((code) => [code, isRetryable(code)]))).toStrictEqual(fixture)
})

test.each(codes)('[X7] %s has a message for people, unless one place alone raises it and says more', (code) => {
  expect(ERROR_CODES[code]).toMatch(/^([A-Z].*\.)?$/)
  expect(new RealtimeError(code).message).toBe(ERROR_CODES[code] || code)
})

test.each(codes)('[X7] %s arrives as it was thrown', (code) => {
  const entry = { key: 'a', version: 3, value: { b: 1 } }
  const sent = new RealtimeError(code, { message: 'What happened.', retryAfterMs: 50, entry, issues: [{ path: 'a' }] })
  const error = fromWireError(JSON.parse(JSON.stringify(toWireError(sent))))
  expect(error).toBeInstanceOf(RealtimeError)
  expect(toWireError(error)).toStrictEqual(toWireError(sent))
  expect(error).toMatchObject({
    code,
    message: 'What happened.',
    retryable: sent.retryable,
    retryAfterMs: 50,
    entry,
    issues: [{ path: 'a' }],
  })
})

test('[X7] an error without extras carries code, message and retryable alone', () => {
  expect(toWireError(new RealtimeError('CONFLICT'))).toStrictEqual({
    code: 'CONFLICT',
    message: 'CONFLICT',
    retryable: false,
  })
})

test('[X7] neither stack nor cause travels', () => {
  const cause = new Error('SECRET-CAUSE')
  const error = new RealtimeError('UNAVAILABLE', { cause })
  expect(error.cause).toBe(cause)
  const wire = JSON.stringify(toWireError(error))
  expect(wire).not.toContain('SECRET')
  expect(wire).not.toContain('realtime-error')
  expect(Object.keys(toWireError(error))).toEqual(['code', 'message', 'retryable'])
})

test('[X7] a property that somebody hung on an error does not travel', () => {
  expect(toWireError(Object.assign(new RealtimeError('CLOSED'), { password: 'SECRET' }))).not.toHaveProperty('password')
})

test.each([
  ['an Error', new Error('SECRET at /srv/app')],
  ['a TypeError with a cause', new TypeError('SECRET', { cause: 'SECRET' })],
  ['a string', 'SECRET'],
  ['undefined', undefined],
  ['null', null],
  ['something that looks like one of ours', { name: 'RealtimeError', code: 'CONFLICT', message: 'SECRET', retryable: true }],
  [
    'something that throws when it is looked at',
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('SECRET')
        },
      },
    ),
  ],
])('[X7] %s becomes a plain INTERNAL', (_, error) => {
  expect(toWireError(error)).toStrictEqual({ code: 'INTERNAL', message: ERROR_CODES.INTERNAL, retryable: false })
})

test('[X7] a code of a newer server becomes INTERNAL and keeps its word on trying again', () => {
  const error = fromWireError({ code: 'SLOW_DOWN', message: 'Too fast.', retryable: true, retryAfterMs: 100 })
  expect(error).toMatchObject({ code: 'INTERNAL', message: 'Too fast.', retryable: true, retryAfterMs: 100 })
  expect(fromWireError({ code: 'BETTER_SERVER_NEEDED', message: 'No.', retryable: false })).toMatchObject({
    code: 'INTERNAL',
    retryable: false,
  })
})

test.each([
  [undefined],
  [null],
  ['no'],
  [7],
  [{}],
  [{ code: 'toString', message: 1, retryable: 'yes' }],
  [{ code: 5 }],
  [{ code: ['CONFLICT'] }],
  [[]],
])('[X7] %j, from something that is no server of ours, becomes a plain INTERNAL', (error) => {
  expect(fromWireError(error)).toMatchObject({ code: 'INTERNAL', message: ERROR_CODES.INTERNAL, retryable: false })
})

test('[X7] an error has no cause unless one was given', () => {
  expect(new RealtimeError('CLOSED')).not.toHaveProperty('cause')
  expect(new RealtimeError('CLOSED')).toMatchObject({ name: 'RealtimeError', code: 'CLOSED', retryable: false })
  expect(String(new RealtimeError('CLOSED'))).toBe('RealtimeError: It is closed.')
})
