import { applyEffect, contentText, sameContent } from './apply-effect.ts'
import type { Content, HistoryRule, Operation, Violation } from './history.ts'
import type { KeyTimeline, VersionStep } from './key-timeline.ts'

/**
 * Checks one key's versions in order: each must result from its operations on the version before. Operations with an unknown
 * outcome may explain a difference, each once.
 */
export function checkEffects({ key, operations, steps }: KeyTimeline): Violation[] {
  const violations: Violation[] = []
  const unknown = new Set(operations.filter(({ outcome }) => outcome.kind === 'unknown'))
  /** The content of the version before; `undefined` if unknown. */
  let before: Content | undefined = { absent: true }
  let lastVersion = 0

  const report = (rule: HistoryRule, message: string): void => void violations.push({ rule, key, message })
  const saw = (step: VersionStep): string => `version ${step.version} is ${contentText(step.content)} after ${contentText(before)}`

  /** An unacknowledged version must be the effect of an operation with an unknown outcome. */
  const unmade = (step: VersionStep): Content | undefined => {
    const { content, seenMs } = step
    const candidates = [...unknown].filter(({ startMs }) => startMs <= seenMs)
    if (content === undefined || before === undefined) {
      const sets = candidates.filter(({ effect }) => effect.op === 'set' && content && sameContent({ value: effect.value }, content))
      const cause = content === undefined ? candidates[0] : (sets[0] ?? candidates.find(({ effect }) => effect.op !== 'set'))
      // The operation cannot be identified, so none is used up.
      if (cause === undefined) report('follows', `Nothing explains: ${saw(step)}.`)
      return content
    }
    const causes = findBetween(before, candidates, (value) => sameContent(value, content))
    for (const cause of causes ?? []) unknown.delete(cause)
    if (causes !== undefined) return content
    const culprit = operations.find(({ outcome, effect }) => {
      const after = before && outcome.kind !== 'unknown' ? applyEffect(before, effect) : undefined
      return after !== undefined && sameContent(after, content)
    })
    if (culprit?.outcome.kind === 'done')
      report('once', `${culprit.id} made version ${culprit.outcome.version}, but nothing else explains: ${saw(step)}.`)
    else if (culprit !== undefined) report('refused', `${culprit.id} was refused, but nothing else explains: ${saw(step)}.`)
    else report('follows', `Nothing explains: ${saw(step)}.`)
    return content
  }

  /** An acknowledged version must follow from the version before, possibly with unknown operations in between. */
  const made = (step: VersionStep): Content | undefined => {
    const operation = step.made[0]
    if (operation === undefined) return step.content
    if (step.made.length > 1 && step.made.some(({ effect }) => effect.op !== 'patch')) {
      report('once', `${step.made.map(({ id }) => id).join(' and ')} share version ${step.version}.`)
      return step.content
    }
    checkCondition(operation, step)
    if (overlap(step.made)) return step.content
    const after = (content: Content): Content | undefined =>
      step.made.reduce<Content | undefined>((value, { effect }) => value && applyEffect(value, effect), content)
    const blind = operation.effect.op === 'set' || operation.effect.op === 'remove'
    const expected = after(before ?? { absent: true })
    if (step.content === undefined) return blind || unknown.size === 0 ? expected : undefined
    if (before === undefined && !blind) return step.content
    const { content } = step
    if (expected !== undefined && sameContent(expected, content)) return content
    const between =
      before &&
      findBetween(before, [...unknown], (value) => {
        const result = after(value)
        return result !== undefined && sameContent(result, content)
      })
    for (const cause of between ?? []) unknown.delete(cause)
    if (between === undefined) report('follows', `${operation.id} does not explain: ${saw(step)}.`)
    return content
  }

  const checkCondition = ({ id, effect }: Operation, { version }: VersionStep): void => {
    if (!('ifVersion' in effect) || effect.ifVersion === undefined) return
    const met = effect.ifVersion === 0 ? before === undefined || 'absent' in before : effect.ifVersion === lastVersion
    if (!met) report('follows', `${id} made version ${version} on the condition of ${effect.ifVersion}, but ${lastVersion} was the newest.`)
  }

  for (const step of steps) {
    before = step.made.length > 0 ? made(step) : unmade(step)
    lastVersion = step.version
  }
  return violations
}

/** Patches of one version whose order is unknown and matters. */
const overlap = (made: readonly Operation[]): boolean => {
  const names = made.flatMap(({ effect }) => (effect.op === 'patch' ? Object.keys(effect.patch) : []))
  return made.length > 1 && new Set(names).size < names.length
}

const MAX_BETWEEN = 3

/** Up to three operations that lead, in this order, from the content to a matching one. */
function findBetween(
  content: Content,
  candidates: readonly Operation[],
  fits: (content: Content) => boolean,
  depth = MAX_BETWEEN,
): Operation[] | undefined {
  if (depth === 0) return undefined
  for (const candidate of candidates) {
    const after = applyEffect(content, candidate.effect)
    if (after === undefined) continue
    if (fits(after)) return [candidate]
    const others = candidates.filter((other) => other !== candidate)
    const rest = findBetween(after, others, fits, depth - 1)
    if (rest !== undefined) return [candidate, ...rest]
  }
  return undefined
}
