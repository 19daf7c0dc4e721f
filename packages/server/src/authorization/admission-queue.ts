import type { Decisions, Verdict } from './authorization-cache.ts'
import type { Access } from './authorize.ts'

/** What is done with the verdicts, one for each thing that was asked for, in order. */
export type Act<Result> = (verdicts: readonly Verdict[]) => Result | Promise<Result>

/**
 * Lets the messages of one connection in: each when all that it asks for is allowed, and in the order in which they came,
 * however long one of them is asked about (E4). Where nothing has to be waited for, a message is acted on in the turn in
 * which it came.
 */
export class Door {
  private readonly decisions: Decisions
  private readonly onAnswer: (access: Access, verdict: Verdict) => void
  /** Settles when the newest of those that wait is in, or refused. */
  private newest: Promise<void> | undefined

  /** `onAnswer` hears what a message was answered: its refusal, or each thing that was allowed. */
  constructor(decisions: Decisions, onAnswer: (access: Access, verdict: Verdict) => void) {
    this.decisions = decisions
    this.onAnswer = onAnswer
  }

  /** Acts, or throws or rejects with the first refusal (X2). */
  admit<Result>(accesses: readonly Access[], act: Act<Result>): Result | Promise<Result> {
    const verdicts = this.decideAll(accesses)
    if (this.newest !== undefined || verdicts instanceof Promise) return this.wait(accesses, verdicts, act)
    return act(this.allowed(accesses, verdicts))
  }

  private async wait<Result>(
    accesses: readonly Access[],
    first: readonly Verdict[] | Promise<readonly Verdict[]>,
    act: Act<Result>,
  ): Promise<Result> {
    const earlier = this.newest
    let letIn = (): void => {}
    const mine = new Promise<void>((resolve) => {
      letIn = resolve
    })
    this.newest = mine
    try {
      for (let verdicts = first; ; verdicts = this.decideAll(accesses)) {
        const known = await verdicts
        await earlier
        // What was allowed before rights were taken away is asked for again.
        if (known.every((verdict) => this.decisions.isCurrent(verdict))) return act(this.allowed(accesses, known))
      }
    } finally {
      if (this.newest === mine) this.newest = undefined
      letIn()
    }
  }

  private allowed(accesses: readonly Access[], verdicts: readonly Verdict[]): readonly Verdict[] {
    const answers = accesses.flatMap((access, index) => {
      const verdict = verdicts[index]
      return verdict === undefined ? [] : [{ access, verdict }]
    })
    for (const { access, verdict } of answers) {
      if (!('refusal' in verdict)) continue
      this.onAnswer(access, verdict)
      throw verdict.refusal
    }
    for (const { access, verdict } of answers) this.onAnswer(access, verdict)
    return verdicts
  }

  private decideAll(accesses: readonly Access[]): readonly Verdict[] | Promise<readonly Verdict[]> {
    const verdicts = accesses.map((access) => this.decisions.decide(access))
    const known = verdicts.filter(isKnown)
    return known.length === verdicts.length ? known : Promise.all(verdicts.map(async (verdict) => verdict))
  }
}

const isKnown = (verdict: Verdict | Promise<Verdict>): verdict is Verdict => !(verdict instanceof Promise)
