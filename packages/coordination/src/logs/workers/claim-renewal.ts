import { RealtimeError } from '@tutti/protocol'
import type { LogGroup } from '../group-contract.ts'
import type { RunningRecord } from './run-record.ts'

/** Keeps the claims of the records whose handlers run. */
export interface ClaimRenewal {
  /** A record was added. The timer runs while there are records. */
  start(): void
  /** Ends the claims of records, so that other workers take them at once. */
  release(records: readonly RunningRecord[]): Promise<void>
  close(): void
}

/** What the renewal needs. */
export interface ClaimRenewalOptions {
  group: LogGroup
  running: { readonly size: number; keys(): Iterable<RunningRecord> }
  visibilityMs: number
  onError: (error: unknown, log: string) => void
}

/** Makes the renewal: one timer for all records, and one command for those of one log that were taken together. */
export function createClaimRenewal({ group, running, visibilityMs, onError }: ClaimRenewalOptions): ClaimRenewal {
  let timer: NodeJS.Timeout | undefined

  const extend = async (records: readonly RunningRecord[], forMs: number): Promise<void> => {
    const claims = new Map<string, RunningRecord[]>()
    for (const record of records) {
      const name = `${record.token} ${record.taken.log}`
      claims.set(name, [...(claims.get(name) ?? []), record])
    }
    await Promise.all(
      [...claims.values()].map(async (claim) => {
        const [first] = claim
        if (first === undefined) return
        const { token, taken } = first
        const offsets = claim.map(({ taken: { offset } }) => offset)
        let lost: readonly number[] = []
        try {
          lost = await group.renew(taken.log, token, offsets, forMs)
        } catch (error) {
          onError(error, taken.log)
        }
        // An acknowledged record has no claim any more.
        for (const record of claim) if (lost.includes(record.taken.offset) && record.isRunning) record.abort(claimLost())
      }),
    )
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  return {
    start: () => {
      timer ??= setInterval(
        () => {
          if (running.size === 0) stop()
          else void extend([...running.keys()], visibilityMs)
        },
        Math.ceil(visibilityMs / 3),
      )
    },
    release: (records) => extend(records, 0),
    close: stop,
  }
}

const claimLost = (): RealtimeError =>
  new RealtimeError('UNAVAILABLE', { message: 'Another worker has the record: its claim was not renewed in time (visibilityMs).' })
