import { lock } from '@tutti/client/lock'
import type { LockViolation } from './check-locks.ts'
import { withContest } from './lock-contest.ts'
import type { LockRunOptions } from './lock-run.ts'

/** Races that run at once. */
const AT_ONCE = 10

/** The result of races. */
export interface RacesResult {
  /** How many each instance won. */
  readonly wins: readonly [number, number]
  readonly violations: readonly LockViolation[]
}

/** Clients of two instances request the same lock at once (L1): exactly one has it, with a token greater than that of the race before. */
export const runRaces = (races: number, options: Pick<LockRunOptions, 'topology' | 'bug' | 'times'>): Promise<RacesResult> =>
  withContest(options, async ({ connect }) => {
    const wins: [number, number] = [0, 0]
    const violations: LockViolation[] = []
    const track = async (key: string, count: number): Promise<void> => {
      const [first, second] = [lock(await connect(0), key), lock(await connect(1), key)]
      let last = 0
      for (let race = 0; race < count; race += 1) {
        const granted = await Promise.all([first.acquire(), second.acquire()])
        const tokens = [first.binding?.token, second.binding?.token].filter((token) => token !== undefined)
        const message = `${key}, race ${race}: granted ${granted.join(' and ')}, with ${tokens.join(' and ')} after ${last}`
        if (granted[0] === granted[1] || tokens.length !== 1) violations.push({ rule: 'token', message })
        else if (Math.max(...tokens) <= last) violations.push({ rule: 'rise', message })
        wins[granted[0] ? 0 : 1] += 1
        last = Math.max(last, ...tokens)
        await Promise.all([first.release(), second.release()])
      }
    }
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, races) }, (_, index) => track(`race:${index}`, Math.ceil((races - index) / AT_ONCE))),
    )
    return { wins, violations }
  })
