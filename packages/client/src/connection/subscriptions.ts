import type { RealtimeError } from '@tutti/protocol'
import { createRetry, type RetryContext } from './retry.ts'
import type { Connection } from './connection-contract.ts'

/** What the keeper of subscriptions needs. */
export interface SubscriptionsOptions extends RetryContext {
  connection: Pick<Connection, 'current' | 'up'>
  /** Cuts names into what one message may carry. */
  batches: (names: string[]) => string[][]
  /** Requests that the server begins (`on`) or ends subscriptions; `done` receives the outcome. */
  request: (names: string[], on: boolean, done: (error?: RealtimeError) => void) => void
  /** The server will not have it, for a reason that stays: not asked for again before somebody wants it anew, or a reconnect. */
  onRefused: (name: string, error: RealtimeError) => void
  /** A name that nobody wants is no longer subscribed. */
  onGone: (name: string) => void
}

/** The subscriptions of a client on the server, kept as the application wants them. */
export interface Subscriptions {
  /** True while the server has it, or may have it. */
  has(name: string): boolean
  want(name: string): void
  unwant(name: string): void
  /** Asks now for what was to go out with the end of the turn. */
  flush(): void
  /** Connected anew: asks for everything at once (C2, E5). */
  restore(): void
  /** The connection is lost, and with it all subscriptions. */
  lose(): void
  /** The server has ended a subscription. */
  revoke(name: string, error: RealtimeError): void
}

/**
 * Keeps what is subscribed on the server equal to what is wanted. What is wanted or given up within one turn goes out
 * together, and while a name's question is unanswered no other is asked about it: the last wish wins, in whatever order
 * the server works.
 */
export function createSubscriptions(options: SubscriptionsOptions): Subscriptions {
  const { connection, batches, request, onRefused, onGone } = options
  const wanted = new Set<string>()
  /** What the server knows of: `busy` while a question is open. */
  const known = new Map<string, 'on' | 'busy'>()
  /** To be looked at with the next update. */
  const dirty = new Set<string>()
  /** To be looked at when it is time to try again. */
  const later = new Set<string>()
  const retry = createRetry(options)
  let planned = false
  let epoch = 0

  const send = (names: string[], on: boolean): void => {
    const mine = epoch
    for (const name of names) known.set(name, 'busy')
    request(names, on, (error) => {
      if (mine !== epoch) return
      // One bad name must not keep the others out.
      if (error && !error.retryable && names.length > 1) {
        const middle = names.length >> 1
        send(names.slice(0, middle), on)
        return send(names.slice(middle), on)
      }
      for (const name of names) {
        if (on && !error) known.set(name, 'on')
        else known.delete(name)
        if (!on || !error || !wanted.has(name)) dirty.add(name)
        else if (error.retryable) later.add(name)
        else onRefused(name, error)
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
    const names = [...dirty].filter((name) => known.get(name) !== 'busy')
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
      known.clear()
      later.clear()
      retry.reset()
    },
    revoke: (name, error) => {
      // What is being asked for or given up gets an answer of its own.
      if (known.get(name) !== 'on') return
      known.delete(name)
      onRefused(name, error)
    },
  }
}
