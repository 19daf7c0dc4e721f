import { RealtimeError } from '@tutti/protocol'
import { createDeferred, createListeners } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { InstanceLease } from '../contract.ts'
import type { CoordinationSettings } from '../coordination-options.ts'
import { JITTER_MS, leaseScript, type LeaseTimes } from './lease-script.ts'
import type { ClockBounds } from './clock-bounds.ts'
import { isAway, repeatable } from './redis-failure.ts'
import type { RedisLayout } from './redis-layout.ts'
import { partsOf, textsOf } from './script-reply.ts'

/** Tries of a write that was too late for its lease. */
const MAX_TRIES = 3

/** A heartbeat is late after so many intervals. */
const LATE_BEATS = 1.5

/** The lease of this instance on Redis. */
export interface RedisLease extends InstanceLease {
  /** Whether a lease has ended, and is not swept yet. */
  hasEnded(lease: string): boolean
  /**
   * How long records may still be missing, milliseconds: after an outage instances write theirs again within the time of a lease, and
   * clients of one that ends meanwhile return within their grace.
   */
  readonly settlingMs: number
  /** Runs the heartbeat now, or waits for the one in flight. Registers where there is no lease. */
  renew(): Promise<void>
  /**
   * Runs a script that writes under the lease. Where it replies `late`, the lease is renewed first, or registered anew. Rejects with
   * `UNAVAILABLE` where that does not help.
   */
  guard<Reply extends readonly unknown[]>(write: (lease: string, expiry: number) => Promise<Reply>): Promise<Reply>
  /** Ends the lease. Resolves with the ended leases where no instance is left, else with none. */
  close(): Promise<readonly string[]>
}

/** What a lease needs. */
export interface InstanceLeaseOptions {
  link: RedisLink
  layout: RedisLayout
  instanceId: string
  times: LeaseTimes
  onError: CoordinationSettings['onError']
  /**
   * The first heartbeat waits until this has settled, so that others count on this instance when it receives their commands. It does
   * not wait longer than one interval.
   */
  mayBegin: Promise<unknown>
  /** Receives the times of Redis. */
  clock: Pick<ClockBounds, 'sample'>
  /** A heartbeat was successful. */
  onBeat: () => void
  /** These leases are to be swept by this instance. */
  onClaim: (leases: readonly string[]) => void
}

/** Registers the instance, and renews its lease until it is closed. */
export function createInstanceLease(options: InstanceLeaseOptions): RedisLease {
  const { link, layout, instanceId, times, onError, mayBegin, clock, onBeat, onClaim } = options
  const script = repeatable(link.script(leaseScript(times)))
  const lostListeners = createListeners<[]>((error) => onError(error, { stage: 'listener' }))
  const ready = createDeferred<void>()
  let registrations = 1
  let state: InstanceLease['state'] = 'registering'
  let expiry = 0
  let settledAt = 0
  /** The last reply to a heartbeat. */
  let beatAt = 0
  let live: ReadonlySet<string> = new Set()
  let ended: ReadonlySet<string> = new Set()
  let beating: Promise<void> | undefined
  let closing: Promise<readonly string[]> | undefined
  let isFailing = false
  let early: NodeJS.Timeout | undefined
  const idOf = (registration = registrations): string => `${instanceId}.${registration}`

  /** Runs the script. Where Redis replies on the other connection only, this one is replaced before the lease ends. */
  const send = async (mode: 'register' | 'renew' | 'close') => {
    let isWaiting = true
    const replace = (): void => void link.replaceHanging(() => isWaiting).catch(() => {})
    // After a stall of the event loop the timer is due before the reply is read: one more turn.
    const timer = setTimeout(() => setImmediate(() => isWaiting && replace()), times.leaseMs / 2)
    try {
      const former = mode === 'register' && registrations > 1 ? idOf(registrations - 1) : ''
      return await script.run(layout.leases, [idOf(), mode, former])
    } finally {
      isWaiting = false
      clearTimeout(timer)
    }
  }
  const run = async (mode: 'register' | 'renew' | 'close') => {
    const sentMs = performance.now()
    const reply = partsOf(await send(mode))
    const [lost, now, liveIds, endedIds, claimed, next, last, settlingMs] = reply
    clock.sample(sentMs, Number(now))
    return {
      isLost: lost === 1,
      now: Number(now),
      ...{ live: textsOf(liveIds), ended: textsOf(endedIds), claimed: textsOf(claimed) },
      ...{ next: next === '' ? Infinity : Number(next), isLast: last === 1 },
      settlingMs: Number(settlingMs),
    }
  }

  const runEarly = (inMs: number): void => {
    clearTimeout(early)
    if (inMs >= times.heartbeatMs) return
    early = setTimeout(beatAlone, Math.max(inMs, 0) + Math.random() * Math.min(JITTER_MS, times.heartbeatMs / 5))
  }

  const beat = async (): Promise<void> => {
    for (;;) {
      const isRenewal = state === 'live'
      const reply = await run(isRenewal ? 'renew' : 'register')
      if (closing !== undefined) return
      beatAt = performance.now()
      live = new Set(reply.live)
      ended = new Set(reply.ended)
      settledAt = performance.now() + reply.settlingMs
      if (reply.claimed.length > 0) onClaim(reply.claimed)
      if (!reply.isLost) {
        expiry = reply.now + times.leaseMs
        runEarly(reply.next - reply.now)
        isFailing = false
        if (isRenewal) return onBeat()
        state = 'live'
        ready.resolve()
        if (registrations > 1) lostListeners.emit()
        return onBeat()
      }
      registrations += 1
      state = 'registering'
    }
  }
  const renew = (): Promise<void> =>
    (beating ??= beat().finally(() => {
      beating = undefined
    }))
  /** One report for each series of failures. The link reports itself that Redis cannot be reached. */
  const beatAlone = (): void => {
    if (beating !== undefined) return
    renew().catch((error: unknown) => {
      if (isAway(error)) return
      if (!isFailing && closing === undefined) onError(error, { stage: 'heartbeat' })
      isFailing = true
    })
  }
  const begin = (): void => {
    if (closing === undefined && state === 'registering') beatAlone()
  }
  const timer = setInterval(beatAlone, times.heartbeatMs)
  mayBegin.then(begin, begin)

  const close = async (): Promise<readonly string[]> => {
    clearInterval(timer)
    clearTimeout(early)
    lostListeners.clear()
    ready.reject(new RealtimeError('CLOSED'))
    state = 'closed'
    // Without Redis the lease ends by itself.
    if (link.status !== 'ready') return []
    await beating?.catch(() => {})
    const reply = await run('close')
    return reply.isLast ? reply.ended : []
  }

  return {
    get id() {
      return idOf()
    },
    get state() {
      return state
    },
    get live() {
      return live
    },
    get settlingMs() {
      // While a heartbeat is late, what is known of rooms may be old.
      if (state !== 'live' || performance.now() - beatAt > LATE_BEATS * times.heartbeatMs) return times.leaseMs
      return Math.max(0, Math.ceil(settledAt - performance.now()))
    },
    ready: ready.promise,
    onLost: (listener) => lostListeners.add(listener),
    hasEnded: (lease) => ended.has(lease),
    renew: () => (closing === undefined ? renew() : Promise.reject(new RealtimeError('CLOSED'))),
    guard: async (write) => {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        if (closing !== undefined) throw new RealtimeError('CLOSED')
        if (state !== 'live') await renew()
        const reply = await write(idOf(), expiry)
        if (reply[0] !== 'late') return reply
        await renew()
      }
      throw new RealtimeError('UNAVAILABLE', {
        message:
          'This instance has no lease: its heartbeats reach Redis too late (leaseMs). Check its event loop and the latency of Redis.',
      })
    },
    close: () => (closing ??= close()),
  }
}
