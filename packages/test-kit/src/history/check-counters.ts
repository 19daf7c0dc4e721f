import type { FinalEntry, Operation, Violation } from './history.ts'

/** With more unknown outcomes than this, the sum is only bounded. */
const MAX_EXACT = 16

/** The rule `sum`, for every key that was only incremented. Refused increments count as 0. */
export function checkCounters(operations: readonly Operation[], final: readonly FinalEntry[]): Violation[] {
  const violations: Violation[] = []
  const finalOf = new Map(final.map((entry) => [entry.key, entry.content]))
  for (const [key, ofKey] of Map.groupBy(operations, (operation) => operation.key)) {
    const content = finalOf.get(key)
    if (content === undefined || ofKey.some(({ effect }) => effect.op !== 'increment')) continue
    let sum = 0
    let initial = 0
    const unsure: number[] = []
    for (const { effect, outcome } of ofKey) {
      if (effect.op !== 'increment') continue
      initial = effect.initial ?? 0
      if (outcome.kind === 'done') sum += effect.by
      if (outcome.kind === 'unknown') unsure.push(effect.by)
    }
    const value = 'absent' in content ? undefined : content.value
    // Absent is correct if nothing was applied.
    const missing = typeof value === 'number' ? value - initial - sum : value === undefined && sum === 0 ? 0 : undefined
    if (missing !== undefined && canBe(missing, unsure)) continue
    const message = `It is ${JSON.stringify(value)}, but ${initial} and the acknowledged increments make ${initial + sum}; unknown: ${JSON.stringify(unsure)}.`
    violations.push({ rule: 'sum', key, message })
  }
  return violations
}

function canBe(missing: number, unsure: readonly number[]): boolean {
  if (unsure.length > MAX_EXACT) {
    const least = unsure.filter((by) => by < 0).reduce((sum, by) => sum + by, 0)
    const most = unsure.filter((by) => by > 0).reduce((sum, by) => sum + by, 0)
    return missing >= least && missing <= most
  }
  let sums = new Set([0])
  for (const by of unsure) sums = new Set([...sums, ...[...sums].map((sum) => sum + by)])
  return sums.has(missing)
}
