import { RealtimeError, parseKey, parseValue, type JsonValue } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'
import type { Mutation, MutationAuthor, WriteOptions, WriteResult } from './contract.ts'
import { staleMutation } from './store-errors.ts'

// Checks and results of mutations, shared by both stores.

/** Throws `INVALID_KEY`, `INVALID_VALUE` or `INVALID_MESSAGE` for a mutation that no store could apply. */
export function checkMutation(mutation: Mutation): void {
  parseKey(mutation.key)
  if (mutation.author !== undefined) checkAuthor(mutation.author)
  switch (mutation.op) {
    case 'set':
      parseValue(mutation.value)
      checkWhole('ifVersion', mutation.ifVersion, 0)
      checkWhole('ttlMs', mutation.ttlMs, 1)
      break
    case 'remove':
      checkWhole('ifVersion', mutation.ifVersion, 0)
      break
    case 'increment':
      parseValue(mutation.by)
      parseValue(mutation.initial ?? 0)
      break
    case 'patch':
      parseValue(mutation.patch)
      if (!isJsonObject(mutation.patch)) throw new RealtimeError('INVALID_VALUE', { message: 'Invalid patch: it must be a JSON object.' })
  }
}

function checkWhole(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return
  throw new RealtimeError('INVALID_MESSAGE', { message: `Invalid \`${name}\`: it must be an integer of at least ${least}.` })
}

function checkAuthor({ user, clientId, number }: MutationAuthor): void {
  checkWhole('number', number, 1)
  // Both become parts of names in the store, in which different lone surrogates would be equal.
  if (user.isWellFormed() && clientId.isWellFormed() && clientId !== '') return
  throw new RealtimeError('INVALID_MESSAGE', {
    message: 'Invalid mutation author: `user` and `clientId` must be well-formed Unicode, and `clientId` not empty.',
  })
}

/**
 * The result of a mutation that was applied, now or earlier under the same number (S12). `result`: the sum of an increment, or
 * the base of a patch. Throws `STALE_MUTATION` if another kind of change used the number, because its result is not that of
 * this one.
 */
export function appliedResult(op: Mutation['op'] | 'text', version: number, result: number | undefined): WriteResult {
  const hasResult = op === 'increment' || op === 'patch'
  if (hasResult !== (result !== undefined)) throw staleMutation()
  if (result === undefined) return { version }
  return op === 'patch' ? { version, base: result } : { version, value: result }
}

/**
 * The error that `check` throws for a value, or `undefined` if it accepts the value. Wrapped, because `undefined` can be thrown
 * too.
 */
export function checkFailure(check: WriteOptions['check'], value: JsonValue): { readonly error: unknown } | undefined {
  try {
    check?.(value)
    return undefined
  } catch (error) {
    return { error }
  }
}
