import { RealtimeError, type EntryPage, type Requests } from '@tutti/protocol'
import { subscribeSchema } from '@tutti/protocol/schemas'
import type { StateStore } from '@tutti/storage-driver/contract'
import { ALLOWED, type Verdict } from '../../authorization/authorization-cache.ts'
import type { Core } from '../../feature.ts'
import { defineHandler, type RequestContext } from '../../connection/handler.ts'
import { readablePage } from '../readable-page.ts'
import { readingOf, readsOf } from '../reads-of.ts'

/** What is read: keys, or a page below a prefix. */
type Message = Requests['storage:subscribe']['payload']

/**
 * What `storage:subscribe` replies, without a subscription: for server code that acts as a user. It is no message of the wire,
 * and is parsed, counted and authorized as that one is.
 */
export function readHandler(store: StateStore, { limits, onError }: Pick<Core, 'limits' | 'onError'>) {
  /** Tells whether the key may be read; throws where `authorize` could not say. */
  const mayRead = async (key: string, { decide }: RequestContext): Promise<boolean> => {
    const verdict = await decide(readingOf(key))
    if (!('refusal' in verdict)) return verdict.allow === true
    const { refusal } = verdict
    if (!(refusal instanceof RealtimeError)) onError(refusal, { stage: 'authorize', subject: key })
    else if (refusal.retryable) throw refusal
    return false
  }

  const pageOf = async (message: Message, context: RequestContext, verdict: Verdict): Promise<EntryPage> => {
    // Not a shared read: server code may change the entries that it receives.
    if (!('prefix' in message)) return { entries: await store.read(message.keys.map(({ key }) => key)) }
    const { prefix, after } = message
    if ('allow' in verdict && verdict.allow === true) return store.list(prefix, after)
    const source = {
      list: (from: string | undefined) => store.list(prefix, from),
      mayRead: (key: string) => mayRead(key, context),
      maxBytes: limits.maxPayloadBytes,
    }
    return readablePage(source, after)
  }

  const read = async (message: Message, context: RequestContext, verdicts: readonly Verdict[]): Promise<EntryPage> => {
    const page = await pageOf(message, context, verdicts[0] ?? ALLOWED)
    if (verdicts.every((verdict) => context.isCurrent(verdict))) return page
    // Rights were taken away while it was read.
    return context.admit<EntryPage>(readsOf(message), (current) => read(message, context, current))
  }

  return defineHandler('storage:subscribe', subscribeSchema, readsOf, read)
}
