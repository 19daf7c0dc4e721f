import { createRealtimeClient } from '@tutti/client'
import { presence } from '@tutti/client/presence'
import { eventually, startTcpProxy } from '@tutti/test-kit'
import { startCluster } from '../cluster.ts'
import type { PresenceViolation } from './check-presence.ts'
import type { PresenceRunOptions } from './presence-run.ts'

/** Times of `attachRealtime`, milliseconds. */
const PING = { pingIntervalMs: 10_000, pingTimeoutMs: 5_500 }
/** How much later than the sum of the times observers may be notified, milliseconds: 20 s in all. */
const NOTICE_MS = 500
const ROOM = 'silent'
const WAIT_MS = 60_000

/** The result of clients that vanish. */
export interface SilentClientsResult {
  /** The longest time from the cut until an observer showed the member no more, milliseconds. */
  readonly longestMs: number
  /** The bound of P7. */
  readonly boundMs: number
  readonly violations: readonly PresenceViolation[]
}

/** Drops all data of so many clients without closing a connection, at different times of the ping interval (P7). */
export async function runSilentClients(
  count: number,
  { times, slackMs, topology, bug, seed }: PresenceRunOptions,
  ping = PING,
): Promise<SilentClientsResult> {
  const cluster = await startCluster(2, {
    topology,
    bug,
    env: { LEASE_TIMES: JSON.stringify(times), SERVER_OPTIONS: JSON.stringify(ping) },
  })
  const [first, second] = cluster.places
  if (first === undefined || second === undefined) throw new Error('Two instances are required.')
  const link = await startTcpProxy({ host: '127.0.0.1', port: first.front.port })
  const boundMs = ping.pingIntervalMs + ping.pingTimeoutMs + times.graceMs + NOTICE_MS + slackMs
  const observing = createRealtimeClient({ url: `http://127.0.0.1:${second.front.port}` })
  const observer = presence(observing, ROOM)
  const clients = Array.from({ length: count }, () => createRealtimeClient({ url: `http://127.0.0.1:${link.port}`, autoConnect: false }))
  const goneMs: number[] = []
  observer.subscribe(({ members }) => {
    while (goneMs.length < count - members.length) goneMs.push(performance.now())
  })
  try {
    // Connected at different times, so that the cut meets different parts of their ping intervals.
    for (const [index, client] of clients.entries()) {
      await eventually(() => {
        if (performance.now() % 1_000 < (1_000 * (index % 10)) / 10) throw new Error('It is too early.')
      })
      presence(client, ROOM, { info: seed })
      client.connection.connect()
    }
    await eventually(() => {
      if (observer.current.members.length < count) throw new Error('The members are not shown yet.')
    })
    goneMs.length = 0
    const cutMs = performance.now()
    link.drop()
    await eventually(
      () => {
        if (observer.current.members.length > 0) throw new Error('Members are still shown.')
      },
      { timeoutMs: boundMs + WAIT_MS },
    ).catch(() => {})
    const longestMs = goneMs.length < count ? Infinity : Math.round(Math.max(...goneMs) - cutMs)
    const isLate = longestMs > boundMs
    return { longestMs, boundMs, violations: isLate ? [{ rule: 'late-leave', message: `${longestMs} ms after the cut` }] : [] }
  } finally {
    await Promise.all([...clients, observing].map((client) => client.close()))
    await link.close()
    await cluster.close()
  }
}
