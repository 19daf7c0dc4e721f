import type { Mutation, WriteResult } from './contract.ts'
import { staleMutation } from './refusals.ts'

/**
 * What a mutation made, now or as remembered of its number (S12). `result`: the sum of an increment, or the base of a patch.
 * Throws `STALE_MUTATION` where another kind of change has used the number, whose result says nothing of this one.
 */
export function appliedResult(op: Mutation['op'] | 'text', version: number, result: number | undefined): WriteResult {
  const hasResult = op === 'increment' || op === 'patch'
  if (hasResult !== (result !== undefined)) throw staleMutation()
  if (result === undefined) return { version }
  return op === 'patch' ? { version, base: result } : { version, value: result }
}
