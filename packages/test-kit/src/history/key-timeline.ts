import { contentText, sameContent } from './apply-effect.ts'
import type { Content, FinalEntry, History, Observation, Operation, Violation } from './history.ts'

/** All data about one version of a key. */
export interface VersionStep {
  readonly version: number
  /** The acknowledged operations that created it: several patches may share one. */
  readonly made: Operation[]
  /** Its content, if observed. */
  content: Content | undefined
  /** When it was first observed; Infinity for never. */
  seenMs: number
}

/** One key of a history, its versions in order. */
export interface KeyTimeline {
  readonly key: string
  readonly operations: readonly Operation[]
  readonly observations: readonly Observation[]
  readonly final: FinalEntry | undefined
  readonly steps: readonly VersionStep[]
}

/** A history by keys. `report` receives versions with two values. */
export function timelines({ operations, observations, final }: History, report: (violation: Violation) => void): KeyTimeline[] {
  const operationsOf = Map.groupBy(operations, ({ key }) => key)
  const observationsOf = Map.groupBy(observations, ({ key }) => key)
  const finalOf = new Map(final.map((entry) => [entry.key, entry]))
  const keys = new Set([...operationsOf.keys(), ...observationsOf.keys(), ...finalOf.keys()])
  return [...keys].map((key) => {
    const parts = { key, operations: operationsOf.get(key) ?? [], observations: observationsOf.get(key) ?? [], final: finalOf.get(key) }
    return { ...parts, steps: stepsOf(parts, report) }
  })
}

function stepsOf(
  { key, operations, observations, final }: Omit<KeyTimeline, 'steps'>,
  report: (violation: Violation) => void,
): VersionStep[] {
  const steps = new Map<number, VersionStep>()
  const stepAt = (version: number): VersionStep => {
    const step = steps.get(version) ?? { version, made: [], content: undefined, seenMs: Infinity }
    steps.set(version, step)
    return step
  }
  const see = (version: number, content: Content | undefined, who: string): void => {
    if (content === undefined) return
    const step = stepAt(version)
    if (step.content === undefined) step.content = content
    else if (!sameContent(step.content, content)) {
      const message = `Version ${version} is ${contentText(step.content)}, but ${who} has ${contentText(content)}.`
      report({ rule: 'one-value', key, message })
    }
  }
  for (const operation of operations) {
    if (operation.outcome.kind !== 'done') continue
    const { version, value } = operation.outcome
    stepAt(version).made.push(operation)
    if (value !== undefined) see(version, { value }, operation.id)
  }
  for (const { client, version, content, atMs } of observations) {
    // Version 0 is the initial absence, without an operation.
    if (version === 0) continue
    const step = stepAt(version)
    step.seenMs = Math.min(step.seenMs, atMs)
    see(version, content, client)
  }
  if (final !== undefined && final.version !== 0) see(final.version, final.content, 'the store')
  return [...steps.values()].sort((one, other) => one.version - other.version)
}
