import { afterEach, expect, test, vi } from 'vitest'
import { callSafely, logError, safeErrorListener, toError } from '../src/internal.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

const spyOnConsole = () => vi.spyOn(console, 'error').mockImplementation(() => {})

test('[X10] a thrown error or a rejection goes only to the listener', async () => {
  const errors: unknown[] = []
  const note = (error: unknown): void => void errors.push(error)
  callSafely(() => {
    throw new Error('thrown')
  }, note)
  callSafely(() => Promise.reject(new Error('rejected')), note)
  callSafely(() => 1, note)
  callSafely(() => ({ a: 1 }), note)
  await new Promise((resolve) => setImmediate(resolve))
  expect(errors).toEqual([new Error('thrown'), new Error('rejected')])
})

test('[X10] without an onError, an error and its context go to console.error', () => {
  const log = spyOnConsole()
  const error = new Error('lost')
  safeErrorListener(undefined)(error, { stage: 'listener', subject: 'todos:1' })
  safeErrorListener(undefined)(error, { stage: 'presence', subject: undefined })
  expect(log.mock.calls).toEqual([
    ['Tutti (listener todos:1):', error],
    ['Tutti (presence):', error],
  ])
})

test('[X10] in browsers an error goes to reportError, where monitoring listens', () => {
  const log = spyOnConsole()
  const reportError = vi.fn<(error: unknown) => void>()
  vi.stubGlobal('reportError', reportError)
  logError(new Error('lost'), { stage: 'listener' })
  expect(reportError.mock.calls).toEqual([[new Error('lost')]])
  expect(log).not.toHaveBeenCalled()
})

test('[X10] an error of onError is contained and logged beside the original error', async () => {
  const log = spyOnConsole()
  const told = new Error('told')
  const context = { stage: 'watch' }
  safeErrorListener(() => {
    throw new Error('thrown')
  })(told, context)
  safeErrorListener(() => Promise.reject(new Error('rejected')))(told, context)
  await new Promise((resolve) => setImmediate(resolve))
  expect(log.mock.calls.map(([, error]) => error)).toEqual([told, new Error('thrown'), told, new Error('rejected')])
})

test('[X10] an error that cannot be printed is logged as such', () => {
  const log = spyOnConsole().mockImplementationOnce(() => {
    throw new Error('from inspect')
  })
  logError(new Error('lost'), { stage: 'watch' })
  expect(log).toHaveBeenLastCalledWith('Tutti: an error that cannot be shown.')
})

test('[X10] a thrown value of any type becomes an error; an error stays the same', () => {
  const error = new TypeError('odd')
  expect(toError(error)).toBe(error)
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const thrown of [undefined, 'text', 1n, proxy]) expect(toError(thrown)).toMatchObject({ name: 'Error' })
})
