import type { AuthorizationCache, Verdict } from './authorization-cache.ts'
import type { Access } from './authorize.ts'

/** What is done with the verdicts, one for each access, in order. */
export type Act<Result> = (verdicts: readonly Verdict[]) => Result | Promise<Result>

/**
 * Admits the messages of one connection: each when all its accesses are allowed, and in the order in which they came, however
 * long one of them waits for its verdict (E4). Where nothing has to be waited for, a message is acted on in the turn in which
 * it came.
 */
export interface AdmissionQueue {
  /** Acts, or throws or rejects with the first refusal (X2). */
  admit<Result>(accesses: readonly Access[], act: Act<Result>): Result | Promise<Result>
}

const isKnown = (verdict: Verdict | Promise<Verdict>): verdict is Verdict => !(verdict instanceof Promise)

/** Makes the queue of one connection. `onVerdict` receives the refusal of a message, or each access that was allowed. */
export function createAdmissionQueue(cache: AuthorizationCache, onVerdict: (access: Access, verdict: Verdict) => void): AdmissionQueue {
  /** Settles when the newest of the messages that wait is admitted or refused. */
  let newest: Promise<void> | undefined

  const decideAll = (accesses: readonly Access[]): readonly Verdict[] | Promise<readonly Verdict[]> => {
    const verdicts = accesses.map((access) => cache.decide(access))
    const known = verdicts.filter(isKnown)
    return known.length === verdicts.length ? known : Promise.all(verdicts.map(async (verdict) => verdict))
  }

  const allowed = (accesses: readonly Access[], verdicts: readonly Verdict[]): readonly Verdict[] => {
    const answers = accesses.flatMap((access, index) => {
      const verdict = verdicts[index]
      return verdict === undefined ? [] : [{ access, verdict }]
    })
    for (const { access, verdict } of answers) {
      if (!('refusal' in verdict)) continue
      onVerdict(access, verdict)
      throw verdict.refusal
    }
    for (const { access, verdict } of answers) onVerdict(access, verdict)
    return verdicts
  }

  const wait = async <Result>(
    accesses: readonly Access[],
    first: readonly Verdict[] | Promise<readonly Verdict[]>,
    act: Act<Result>,
  ): Promise<Result> => {
    const earlier = newest
    let letIn = (): void => {}
    const mine = new Promise<void>((resolve) => {
      letIn = resolve
    })
    newest = mine
    try {
      for (let verdicts = first; ; verdicts = decideAll(accesses)) {
        const known = await verdicts
        await earlier
        // What was allowed before rights were taken away is authorized again.
        if (known.every((verdict) => cache.isCurrent(verdict))) return act(allowed(accesses, known))
      }
    } finally {
      if (newest === mine) newest = undefined
      letIn()
    }
  }

  return {
    admit: (accesses, act) => {
      const verdicts = decideAll(accesses)
      if (newest !== undefined || verdicts instanceof Promise) return wait(accesses, verdicts, act)
      return act(allowed(accesses, verdicts))
    },
  }
}
