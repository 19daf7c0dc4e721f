import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERROR_CODES, RealtimeError, fromWireError, toWireError } from '../src/index.ts'
import { isRetryable } from '../src/internal.ts'

const fixture: unknown = JSON.parse(readFileSync(new URL('fixtures/protocol-1/errors.json', import.meta.url), 'utf8'))

test('[X7] codes and their retryable are those of protocol 1', () => {
  expect(Object.fromEntries(ERROR_CODES.map((code) => [code, isRetryable(code)]))).toStrictEqual(fixture)
})

test.each(['OUTCOME_UNKNOWN', 'CLOSED', 'INTERNAL'] as const)('[X7] %s, which many places raise, has a default message', (code) =>
  expect(new RealtimeError(code).message).toMatch(/^[A-Z].* .*\.$/),
)

test.each(ERROR_CODES)('[X7] %s arrives unchanged', (code) => {
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

test('[X7] an error without extras carries only code, message and retryable', () => {
  expect(toWireError(new RealtimeError('CONFLICT'))).toStrictEqual({
    code: 'CONFLICT',
    message: 'CONFLICT',
    retryable: false,
  })
})

test('[X7] neither stack nor cause is sent', () => {
  const cause = new Error('SECRET-CAUSE')
  const error = new RealtimeError('UNAVAILABLE', { cause })
  expect(error.cause).toBe(cause)
  const wire = JSON.stringify(toWireError(error))
  expect(wire).not.toContain('SECRET')
  expect(wire).not.toContain('realtime-error')
  expect(Object.keys(toWireError(error))).toEqual(['code', 'message', 'retryable'])
})

test('[X7] a property added to an error object is not sent', () => {
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
  expect(toWireError(error)).toStrictEqual({
    code: 'INTERNAL',
    message: 'Internal server error. The server reported it to `onError`.',
    retryable: false,
  })
})

test('[X7] a code of a newer server is kept, with its retryable', () => {
  const error = fromWireError({ code: 'COME_BACK_ON_MONDAY', message: 'Not now.', retryable: true, retryAfterMs: 100 })
  expect(error).toMatchObject({ code: 'COME_BACK_ON_MONDAY', message: 'Not now.', retryable: true, retryAfterMs: 100 })
  expect(fromWireError({ code: 'BETTER_SERVER_NEEDED', message: 'No.', retryable: false })).toMatchObject({ retryable: false })
  // Not retryable unless the server sends it, regardless of the client's own table.
  expect(fromWireError({ code: 'UNAVAILABLE', message: 'No.' })).toMatchObject({ retryable: false })
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
  [{ code: 'a CONFLICT' }],
  [{ code: 'CONFLICT here' }],
  [[]],
])('[X7] %j, which is not an error of Tutti, becomes a plain INTERNAL', (error) => {
  expect(fromWireError(error)).toMatchObject({
    code: 'INTERNAL',
    message: 'Internal error: see `cause`, or the log of the server.',
    retryable: false,
  })
})

test('[X7] an error has no cause unless one was given', () => {
  expect(new RealtimeError('CLOSED')).not.toHaveProperty('cause')
  expect(new RealtimeError('CLOSED')).toMatchObject({ name: 'RealtimeError', code: 'CLOSED', retryable: false })
  expect(String(new RealtimeError('CLOSED'))).toBe('RealtimeError: Closed. Create a new one to continue.')
})
