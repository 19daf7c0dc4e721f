import { setTimeout as wait } from 'node:timers/promises'
import { lock } from '@tutti/client/lock'
import { injectFault } from '../inject-fault.ts'
import type { LockViolation } from './check-locks.ts'
import { withContest } from './lock-contest.ts'
import type { LockRunOptions } from './lock-run.ts'

const HOLDERS = 20
const SETTLE_MS = 30_000

/** The result of an outage. */
export interface AwayResult {
  /** Locks that their holder had before and after. */
  readonly kept: number
  /** Bound writes that were made meanwhile, and applied. */
  readonly applied: number
  readonly violations: readonly LockViolation[]
}

/** Redis is away while clients have locks (L3): each keeps its lock with its token, and the bound write that it makes meanwhile is applied. */
export const runAway = (awayMs: number, options: Pick<LockRunOptions, 'topology' | 'bug' | 'times' | 'slackMs'>): Promise<AwayResult> =>
  withContest(options, async ({ cluster, connect }) => {
    const violations: LockViolation[] = []
    const fail = (rule: LockViolation['rule'], message: string): void => void violations.push({ rule, message })
    const holders = await Promise.all(
      Array.from({ length: HOLDERS }, async (_, index) => {
        const [client, other] = [await connect(index), await connect(index + 1)]
        const key = `away:${index}`
        const [own, rival] = [lock(client, key), lock(other, key)]
        if (!(await own.acquire())) fail('unsettled', `${key} was not granted`)
        own.onLost(() => fail('kept', `${key} was lost`))
        return { key, own, rival, token: own.binding?.token, state: client.state(key, { lock: own }) }
      }),
    )
    const outage = injectFault(cluster, { name: 'kill-redis', atMs: 0, forMs: awayMs, place: 0, link: 'back' })
    // In the middle of the outage.
    await wait(awayMs / 2)
    let applied = 0
    const writes = holders.map(async ({ key, state }) => {
      const result = await Promise.race([
        state.set('while Redis was away').then(() => 'applied', String),
        wait(awayMs + SETTLE_MS + options.slackMs, 'no reply', { ref: false }),
      ])
      if (result === 'applied') applied += 1
      else fail('unsettled', `the write of ${key}: ${result}`)
    })
    await outage
    await Promise.all(writes)
    for (const { key, own, rival, token } of holders) {
      if (own.binding?.token !== token) fail('kept', `${key} had ${token}, and has ${own.binding?.token}`)
      if (await rival.acquire()) fail('token', `${key} was granted to another client too`)
    }
    const kept = holders.filter(({ own, token }) => own.binding?.token === token).length
    return { kept, applied, violations }
  })
