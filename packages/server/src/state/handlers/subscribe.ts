import { RealtimeError, type Entry, type EntryPage, type Requests } from '@tutti/protocol'
import { subscribeSchema } from '@tutti/protocol/schemas'
import type { StateStore } from '@tutti/storage-driver/contract'
import type { Access } from '../../access/question.ts'
import { defineHandler, type RequestContext } from '../../handler.ts'
import { keyRoom, prefixRoom } from '../../inner-rooms.ts'
import type { PrefixQuestion } from '../prefix-subscribers.ts'
import type { StateSubscribers } from '../state-subscribers.ts'
import type { Turns } from '../turns.ts'
import type { WritesUnderWay } from '../writes-under-way.ts'

/** What the message asks to read. */
const readsOf = (message: Requests['storage:subscribe']['payload']): Access[] =>
  'prefix' in message
    ? [{ action: 'state:read', target: { prefix: message.prefix } }]
    : message.keys.map(({ key }) => ({ action: 'state:read', target: { key } }))

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
  store: StateStore,
  subscribers: StateSubscribers,
  turns: Turns,
  underWay: WritesUnderWay,
  maxKeysPerMessage: number,
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
      const [read] = await Promise.all([store.read(keys), underWay.answered(connection, (key) => known.has(key))])
      return read
    })
    afterReply(() => {
      for (const entry of entries) subscribers.settle(connection, entry)
    })
    return { entries: entries.filter(({ key, version }) => version !== known.get(key) && connection.subscriptions.has(keyRoom(key))) }
  }

  const subscribePrefix = async (question: PrefixQuestion, context: RequestContext): Promise<EntryPage> => {
    const { connection, beforeReply, afterReply } = context
    const { prefix, versions = {} } = question
    checkCount(Object.keys(versions).length)
    const page = await subscribers.ofPrefixes.join(connection, question, underWay)
    const reply: EntryPage = { ...page, entries: [] }
    // Only now is known what it was told of its own writes, whose replies come by another way.
    beforeReply(() => {
      if (!connection.subscriptions.has(prefixRoom(prefix))) return
      const differs = (entry: Entry): boolean => entry.version !== versions[entry.key]
      reply.entries.push(...page.entries.filter((entry) => differs(entry) && !subscribers.ofPrefixes.isOutdated(connection, entry)))
    })
    afterReply(() => subscribers.ofPrefixes.settle(connection, prefix, page.entries))
    return reply
  }

  return defineHandler('storage:subscribe', subscribeSchema, readsOf, async (message, context, [verdict]) => {
    const release = await turns.take(context.connection)
    try {
      if (!('prefix' in message)) return await subscribeKeys(message.keys, context)
      if (verdict !== undefined && 'allow' in verdict && verdict.allow === true) return await subscribePrefix(message, context)
      throw new RealtimeError('UNSUPPORTED', { message: 'A prefix can be subscribed by those who may read all that is below it.' })
    } finally {
      context.afterReply(release)
    }
  })
}
