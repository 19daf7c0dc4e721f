import { setTimeout as wait } from 'node:timers/promises'
import { lock } from '@tutti/client/lock'
import { seededRandom } from '@tutti/test-kit'
import { remaining } from '../remaining.ts'
import type { LockViolation } from './check-locks.ts'
import { withContest } from './lock-contest.ts'
import { lockDifferences, storedLocks } from './lock-differences.ts'
import type { LockRunOptions } from './lock-run.ts'

const AT_ONCE = 20
/** The release comes at most so long before the end of the request: a grant takes some of that time. */
const BEFORE_MS = 16
const LONGEST_MS = 50
const SETTLE_MS = 10_000

/** The result of requests that end when they are granted. */
export interface AbortsResult {
  readonly granted: number
  readonly ended: number
  readonly violations: readonly LockViolation[]
}

/**
 * A client waits for a lock with a time limit or a signal, which ends at the moment at which the holder, on another instance, releases it
 * (L4). Afterwards each lock is free, or its holder knows the token.
 */
export const runAborts = (
  rounds: number,
  options: Pick<LockRunOptions, 'topology' | 'bug' | 'times' | 'seed' | 'slackMs'>,
): Promise<AbortsResult> =>
  withContest(options, async ({ cluster, connect }) => {
    const random = seededRandom(options.seed)
    const violations: LockViolation[] = []
    const counts = { granted: 0, ended: 0 }
    const tracks = await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, rounds) }, async (_, index) => {
        const key = `abort:${index}`
        return { key, holder: lock(await connect(index), key), waiting: lock(await connect(index + 1), key) }
      }),
    )
    const meet = async ({ key, holder, waiting }: (typeof tracks)[number]): Promise<void> => {
      if (!(await holder.acquire({ waitMs: SETTLE_MS }))) {
        violations.push({ rule: 'unsettled', message: `${key} was not granted to its first holder` })
        return
      }
      const waitMs = BEFORE_MS + random.below(LONGEST_MS)
      const aborter = new AbortController()
      const isAborted = random.below(2) === 0
      const outcome = waiting.acquire(isAborted ? { waitMs: SETTLE_MS, signal: aborter.signal } : { waitMs })
      if (isAborted) setTimeout(() => aborter.abort(), waitMs)
      await wait(waitMs - random.next() * BEFORE_MS)
      await holder.release()
      counts[(await outcome) ? 'granted' : 'ended'] += 1
    }
    for (let round = 0; round < rounds && violations.length === 0; round += tracks.length) {
      await Promise.all(tracks.slice(0, rounds - round).map(meet))
      const differences = await remaining(
        async () => {
          const bindings = tracks.flatMap(({ waiting }) =>
            waiting.binding === undefined ? [] : [{ ...waiting.binding, client: 'waiting' }],
          )
          return lockDifferences(await storedLocks(cluster.redis.nodes), bindings)
        },
        { timeoutMs: 1_000 + options.slackMs, everyMs: 10 },
      )
      violations.push(...differences.map((message): LockViolation => ({ rule: 'views', message })))
      await Promise.all(tracks.map(({ waiting }) => waiting.release()))
    }
    return { ...counts, violations }
  })
