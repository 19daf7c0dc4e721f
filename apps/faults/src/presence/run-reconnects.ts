import { checkPresence, type PresenceViolation } from './check-presence.ts'
import { startPresenceRun, type PresenceRunOptions } from './presence-run.ts'

/** Connections that are cut at once. */
const BATCH = 50

/** The result of reconnects. */
export interface ReconnectsResult {
  /** Reconnects within the grace, as the same member. */
  readonly returned: number
  /** Members that left after their grace; 0 if all clients reconnected. */
  readonly gone: number
  readonly violations: readonly PresenceViolation[]
}

/** Cuts connections until so many clients have reconnected, to any instance, and checks that no member was reported as gone (P2). */
export async function runReconnects(reconnects: number, options: PresenceRunOptions): Promise<ReconnectsResult> {
  const { graceMs, heartbeatMs } = options.times
  const run = await startPresenceRun(options)
  const violations: PresenceViolation[] = []
  let [returned, gone] = [0, 0]
  try {
    violations.push(...(await run.fill()))
    await run.load.takeHistory()
    while (returned < reconnects && violations.length === 0) {
      const open = run.cluster.places.flatMap(({ front }) => front.connections.filter((connection) => connection.open))
      for (let count = 0; count < Math.min(BATCH, reconnects - returned); count += 1) run.random.pick(open).cut()
      violations.push(...(await run.settle()))
      const history = await run.load.takeHistory()
      const check = checkPresence(history, { graceMs, earlyMs: heartbeatMs, lateMs: Infinity })
      returned += check.returned
      gone += check.gone
      violations.push(...check.violations)
    }
    return { returned, gone, violations }
  } finally {
    await run.close()
  }
}
