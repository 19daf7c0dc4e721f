import { RealtimeError, type Entry, type EntryPage, type Requests } from '@tutti/protocol'
import { subscribeSchema } from '@tutti/protocol/schemas'
import { ALLOWED, type Verdict } from '../../authorization/authorization-cache.ts'
import type { Core } from '../../feature.ts'
import { defineHandler, type RequestContext } from '../../connection/handler.ts'
import { keyRoom, prefixRoom } from '../../connection/subscription-rooms.ts'
import { readsOf } from '../reads-of.ts'
import type { PrefixQuestion } from '../prefix-subscribers.ts'
import type { StateSubscribers } from '../state-subscribers.ts'
import type { Turns } from '../turns.ts'
import type { WritesUnderWay } from '../writes-under-way.ts'

/** A key, and the version that the client has. */
interface KeyQuestion {
  key: string
  version?: number | undefined
}

/**
 * `storage:subscribe`: the current entries, and every change after them (S2): of keys, or of what is below a prefix, page by
 * page (S17). An entry whose version the client names is left out of the reply (C2).
 */
export function subscribeHandler(
  subscribers: StateSubscribers,
  turns: Turns,
  underWay: WritesUnderWay,
  { access, limits: { maxKeysPerMessage } }: Pick<Core, 'access' | 'limits'>,
) {
  const checkCount = (count: number): void => {
    if (count <= maxKeysPerMessage) return
    throw new RealtimeError('TOO_LARGE', { message: `One message may name ${maxKeysPerMessage} keys.` })
  }

  const subscribeKeys = async (asked: readonly KeyQuestion[], { connection, afterReply }: RequestContext): Promise<EntryPage> => {
    checkCount(asked.length)
    const known = new Map(asked.map(({ key, version }) => [key, version]))
    const keys = [...known.keys()]
    const entries = await subscribers.join(connection, keys, async () => {
      const [read] = await Promise.all([subscribers.reads.read(keys), underWay.answered(connection, (key) => known.has(key))])
      return read
    })
    afterReply(() => {
      for (const entry of entries) subscribers.settle(connection, entry)
    })
    return { entries: entries.filter(({ key, version }) => version !== known.get(key) && connection.subscriptions.has(keyRoom(key))) }
  }

  const subscribePrefix = async (question: PrefixQuestion, verdict: Verdict, context: RequestContext): Promise<EntryPage> => {
    const { connection, beforeReply, afterReply } = context
    const { prefix, versions = {} } = question
    checkCount(Object.keys(versions).length)
    const page = await subscribers.ofPrefixes.join(connection, question, verdict, underWay)
    // The right to the prefix may have been taken away while the page was read: then its last key is not named either.
    const reply: EntryPage = connection.subscriptions.has(prefixRoom(prefix)) ? { ...page, entries: [] } : { entries: [] }
    let told: Entry[] = []
    let unknown: string[] = []
    // Only now is known what it was told of its own writes, whose replies come by another way, and what it may read.
    beforeReply(() => {
      if (!connection.subscriptions.has(prefixRoom(prefix))) return
      const differs = (entry: Entry): boolean =>
        entry.version !== versions[entry.key] && !subscribers.ofPrefixes.isOutdated(connection, entry)
      const may = new Map(page.entries.map(({ key }) => [key, subscribers.delivery.readers.mayRead(connection, key)]))
      told = page.entries.filter(({ key }) => may.get(key) === true)
      unknown = page.entries.filter((entry) => may.get(entry.key) === undefined && differs(entry)).map(({ key }) => key)
      reply.entries.push(...told.filter(differs))
    })
    afterReply(() => {
      subscribers.ofPrefixes.settle(connection, prefix, told)
      // Whose answer has ended since they were asked for.
      if (unknown.length > 0) void subscribers.bring(connection, unknown)
    })
    return reply
  }

  const act = async (message: Requests['storage:subscribe']['payload'], context: RequestContext, verdict: Verdict): Promise<EntryPage> =>
    'prefix' in message ? subscribePrefix(message, verdict, context) : subscribeKeys(message.keys, context)

  return defineHandler('storage:subscribe', subscribeSchema, readsOf, async (message, context, verdicts) => {
    const { connection, admit, afterReply } = context
    afterReply(await turns.take(connection))
    const [verdict = ALLOWED] = verdicts
    if (verdicts.every((one) => access.isCurrent(connection, one))) return act(message, context, verdict)
    // Rights were taken away while it waited for its turn.
    return admit<EntryPage>(readsOf(message), ([current = ALLOWED]) => act(message, context, current))
  })
}
