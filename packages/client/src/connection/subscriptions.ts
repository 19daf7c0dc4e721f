import type { RealtimeError } from '@tutti/protocol'
import { mayRepeat } from '@tutti/protocol/internal'
import { createRetry, type RetryContext } from './retry.ts'
import type { Connection } from './connection-contract.ts'

/** Dependencies of the subscriptions. */
export interface SubscriptionsOptions extends RetryContext {
  connection: Pick<Connection, 'current' | 'up'>
  /** Splits names into the messages that the limits allow. */
  batches: (names: string[]) => string[][]
  /** Requests that the server begins (`on`) or ends subscriptions; `done` receives the outcome. */
  request: (names: string[], on: boolean, done: (error?: RealtimeError) => void) => void
  /** The server refused a subscription for good: it is requested again when it is wanted anew, or after a reconnect. */
  onRefused: (name: string, error: RealtimeError) => void
  /** A name that is no longer wanted is no longer subscribed. */
  onGone: (name: string) => void
}

/** The subscriptions of a client on the server, kept as the application wants them. */
export interface Subscriptions {
  /** True while the server has the subscription, or may have it. */
  has(name: string): boolean
  want(name: string): void
  unwant(name: string): void
  /** Sends pending requests now instead of at the end of the turn. */
  flush(): void
  /** Reconnected: requests everything at once (C2, E5). */
  restore(): void
  /** The connection is lost, and with it all subscriptions. */
  lose(): void
  /** The server has ended a subscription. */
  revoke(name: string, error: RealtimeError): void
}

/**
 * Keeps the subscriptions on the server equal to the wanted ones. Changes within one turn are sent together, and while a
 * request for a name is unanswered no other is sent for it: the last call wins, regardless of the order in which the server
 * processes requests.
 */
export function createSubscriptions(options: SubscriptionsOptions): Subscriptions {
  const { connection, batches, request, onRefused, onGone } = options
  const wanted = new Set<string>()
  /** The state on the server: `busy` while a request is unanswered, an error where the server ends what it has yet to confirm. */
  const known = new Map<string, 'on' | 'busy' | RealtimeError>()
  /** To be compared at the next update. */
  const dirty = new Set<string>()
  /** To be compared when the retry is due. */
  const later = new Set<string>()
  const retry = createRetry(options)
  let planned = false
  let epoch = 0

  const send = (names: string[], on: boolean): void => {
    const mine = epoch
    for (const name of names) known.set(name, 'busy')
    request(names, on, (error) => {
      if (mine !== epoch) return
      // One invalid name must not prevent the others.
      if (error && !mayRepeat(error) && names.length > 1) {
        const middle = names.length >> 1
        send(names.slice(0, middle), on)
        return send(names.slice(middle), on)
      }
      for (const name of names) {
        const state = known.get(name)
        const end = error ?? (typeof state === 'object' ? state : undefined)
        if (on && !end) known.set(name, 'on')
        else known.delete(name)
        if (!on || !end || !wanted.has(name)) dirty.add(name)
        else if (error && mayRepeat(error)) later.add(name)
        else onRefused(name, end)
      }
      if (later.size === 0) retry.reset()
      else if (error) retry.plan(tryAgain, error.retryAfterMs)
      update()
    })
  }

  const tryAgain = (): void => {
    for (const name of later) dirty.add(name)
    later.clear()
    update()
  }

  const update = (): void => {
    if (!connection.up) return
    const names = [...dirty].filter((name) => (known.get(name) ?? 'on') === 'on')
    dirty.clear()
    for (const batch of batches(names.filter((name) => !wanted.has(name) && known.has(name)))) send(batch, false)
    for (const batch of batches(names.filter((name) => wanted.has(name) && !known.has(name)))) send(batch, true)
    for (const name of names) if (!wanted.has(name) && !known.has(name)) onGone(name)
  }

  const plan = (name: string): void => {
    dirty.add(name)
    if (planned) return
    planned = true
    queueMicrotask(() => {
      planned = false
      update()
    })
  }

  return {
    has: (name) => known.has(name),
    want: (name) => {
      wanted.add(name)
      plan(name)
    },
    unwant: (name) => {
      wanted.delete(name)
      plan(name)
    },
    flush: update,
    restore: () => {
      for (const name of wanted) dirty.add(name)
      update()
    },
    lose: () => {
      epoch++
      // Those that were being ended are gone, which the next update reports.
      for (const name of known.keys()) if (!wanted.has(name)) dirty.add(name)
      known.clear()
      later.clear()
      retry.reset()
    },
    revoke: (name, error) => {
      const state = known.get(name)
      if (state === 'on') {
        known.delete(name)
        onRefused(name, error)
        // A request about it is unanswered: its reply decides, and is not of the present if it is positive.
      } else if (state) known.set(name, error)
    },
  }
}
