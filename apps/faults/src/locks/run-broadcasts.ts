import { room } from '@tutti/client/room'
import { eventually, sendToRedis } from '@tutti/test-kit'
import type { Cluster } from '../cluster.ts'
import type { LockViolation } from './check-locks.ts'
import { withContest } from './lock-contest.ts'
import type { LockRunOptions } from './lock-run.ts'

/** Joins and broadcasts that run at once. */
const AT_ONCE = 10
/** Calls to a stopped instance. */
const STOPPED_CALLS = 10
/** The limit of a call, milliseconds; of one to a stopped instance. */
const TIMEOUT_MS = 2_000
const STOPPED_TIMEOUT_MS = 500
/** After its limit, or the reply of its call, a message has this time to arrive. */
const ARRIVAL_MS = 1_000
const NAME = 'probe'

/** The result of broadcasts. */
export interface BroadcastsResult {
  readonly received: number
  /** Calls that named the stopped instance, and the longest one, milliseconds. */
  readonly named: number
  readonly longestMs: number
  /** Connections to Redis of each instance; undefined on more than one node. */
  readonly connections: readonly number[] | undefined
  readonly violations: readonly LockViolation[]
}

/**
 * A client joins rooms on one instance, and the other one sends to each room as soon as the join has its reply (R1). Then the first
 * instance is stopped: calls end in time and name it, and when it continues it delivers none of their messages.
 */
export const runBroadcasts = (count: number, options: Pick<LockRunOptions, 'topology' | 'times' | 'slackMs'>): Promise<BroadcastsResult> =>
  withContest(options, async ({ cluster, connect }) => {
    const [stopping, sender] = cluster.places.map(({ instance }) => instance)
    if (stopping === undefined || sender === undefined) throw new Error('There are two instances.')
    const client = await connect(0)
    const violations: LockViolation[] = []
    const violate = (message: string): void => void violations.push({ rule: 'room', message })
    const waitMs = ARRIVAL_MS + options.slackMs
    const join = async (name: string) => {
      const joined = room(client, name)
      const seen: unknown[] = []
      joined.messages.subscribe(NAME, (data) => void seen.push(data))
      await eventually(() => {
        if (!joined.current.joined) throw new Error('The room is not joined yet.')
      })
      return { seen, end: joined.dispose }
    }
    let received = 0
    const track = async (first: number): Promise<void> => {
      for (let number = first; number < count; number += AT_ONCE) {
        const { seen, end } = await join(`probe:${number}`)
        const reply = await sender.call('broadcast', `probe:${number}`, NAME, number, TIMEOUT_MS + options.slackMs)
        await arrived(() => seen.length > 0, waitMs)
        if (seen.length === 1) received += 1
        else violate(`the member of probe:${number} received ${seen.length} messages, after ${JSON.stringify(reply)}`)
        end()
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => track(first)))

    const stopped = await join('stopped')
    const { instance: stoppedId } = client.connection.current
    stopping.pause()
    let [named, longestMs] = [0, 0]
    const call = async (number: number): Promise<void> => {
      const sentMs = performance.now()
      const reply = await sender.call('broadcast', 'stopped', NAME, number, STOPPED_TIMEOUT_MS)
      const tookMs = Math.round(performance.now() - sentMs)
      longestMs = Math.max(longestMs, tookMs)
      if (tookMs > STOPPED_TIMEOUT_MS + waitMs) violate(`a call with a limit of ${STOPPED_TIMEOUT_MS} ms took ${tookMs} ms`)
      if (JSON.stringify(reply).includes(`"missing":["${stoppedId}"]`)) named += 1
      else violate(`a call while ${stoppedId} was stopped replied ${JSON.stringify(reply)}`)
    }
    await Promise.all(Array.from({ length: STOPPED_CALLS }, (_, number) => call(number)))
    stopping.resume()
    // It applies commands in their order: those that are late before this one.
    await sender.call('broadcast', 'stopped', NAME, 'fresh', TIMEOUT_MS + options.slackMs)
    await arrived(() => stopped.seen.includes('fresh'), waitMs)
    if (String(stopped.seen) !== 'fresh') violate(`after it continued, the stopped instance delivered ${String(stopped.seen)}`)
    return { received, named, longestMs, connections: await connectionsOf(cluster), violations }
  })

/** Settles when the condition is true or the time is over. */
const arrived = (isTrue: () => boolean, timeoutMs: number): Promise<unknown> =>
  eventually(
    () => {
      if (!isTrue()) throw new Error('It has not arrived.')
    },
    { timeoutMs, everyMs: 5 },
  ).catch(() => {})

/** How many connections each instance has (N1). Their names begin with its id. */
async function connectionsOf({ redis }: Cluster): Promise<number[] | undefined> {
  const [node] = redis.nodes
  if (node === undefined || redis.nodes.length > 1) return undefined
  const names = [...String(await sendToRedis(node, 'CLIENT', 'LIST')).matchAll(/ name=\S*?([\w-]{36}):\w+/g)].map(([, id]) => id)
  return [...Map.groupBy(names, (id) => id).values()].map(({ length }) => length)
}
