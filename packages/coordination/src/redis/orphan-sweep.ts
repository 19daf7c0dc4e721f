import type { RedisLease } from './instance-lease.ts'
import type { Removal } from './room-store.ts'

/**
 * Removes members of a room whose lease is neither live nor ended: on a Cluster, whose nodes have clocks of their own, or after a
 * clock was set back, a write can be too late without being noticed. It waits for the time of a lease, in which an instance whose
 * registration was lost registers again.
 */
export interface OrphanSweep {
  /** These leases were read with members of the room. */
  check(leases: readonly string[]): void
  clear(): void
}

/** What the sweep needs. */
export interface OrphanSweepOptions {
  lease: RedisLease
  leaseMs: number
  sweep: (lease: string) => Promise<Removal>
  onEmpty: () => void
  onError: (error: unknown) => void
}

/** Makes the sweep of one room. */
export function createOrphanSweep({ lease, leaseMs, sweep, onEmpty, onError }: OrphanSweepOptions): OrphanSweep {
  const timers = new Map<string, NodeJS.Timeout>()
  const isOrphan = (id: string): boolean => lease.state === 'live' && !lease.live.has(id) && !lease.hasEnded(id)
  let isCleared = false
  const run = async (id: string): Promise<void> => {
    timers.delete(id)
    // Leases that this instance does not know yet are in the reply of the next heartbeat.
    await lease.renew()
    if (!isOrphan(id)) return
    const { removed, remaining } = await sweep(id)
    if (removed > 0 && remaining === 0) onEmpty()
  }
  const plan = (id: string): void => {
    const sweepLater = (): void =>
      void run(id).catch((error: unknown) => {
        onError(error)
        // Nothing else would sweep it.
        if (!isCleared && !timers.has(id)) plan(id)
      })
    timers.set(id, setTimeout(sweepLater, leaseMs))
  }
  return {
    check: (leases) => {
      for (const id of leases) {
        if (isOrphan(id) && !timers.has(id)) plan(id)
      }
    },
    clear: () => {
      isCleared = true
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
