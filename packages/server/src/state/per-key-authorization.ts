import { RealtimeError, type EntryPage, type StateUpdate } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'
import type { Verdict } from '../authorization/authorization-cache.ts'
import type { Connection } from '../connection/connection.ts'
import { prefixRoom } from '../connection/subscription-names.ts'
import type { Core } from '../feature.ts'
import { readablePage, type ReadablePageSource } from './readable-page.ts'
import { readAccess } from './state-access.ts'
import type { SubscriptionRegistry } from './subscription-registry.ts'

/** Keys that are authorized at once. */
const AT_ONCE = 100

/** Before a key is authorized again where `authorize` could not say, milliseconds. */
const RETRY_MS = 500

/** Members of prefixes that may read some of the keys only. */
export interface PerKeyAuthorization {
  /** The verdict on a prefix that the connection subscribed to: all of its keys, or each key. */
  apply(connection: Connection, prefix: string, verdict: Verdict): void
  /** Of the members whose keys are authorized, the ids of those that may receive the update now. For others it is buffered. */
  allowedNow(update: StateUpdate, except: readonly string[]): string[]
  /** Whether the connection may receive these changes of the key now. Where that is not known yet, they are buffered for it. */
  mayReceive(connection: Connection, key: string, changes: readonly StateChange[]): boolean
  /** Whether the connection may read the key; undefined: not known yet. */
  mayRead(connection: Connection, key: string): boolean | undefined
  /**
   * A page of the entries that a member of the prefix may read. `isCurrent`: whether no rights were revoked since; otherwise
   * the page is outdated.
   */
  page(
    connection: Connection,
    prefix: string,
    list: ReadablePageSource['list'],
    after: string | undefined,
  ): Promise<{ page: EntryPage; isCurrent: () => boolean }>
  /** Authorizes all of these keys, so that the verdicts which are remembered are known at once. */
  authorizeAll(connection: Connection, prefix: string, keys: readonly string[]): Promise<void>
}

/**
 * Members of prefixes that may read some of the keys only stay out of the prefix's room, and each key is authorized before
 * anything of it is sent to them (X2). While a verdict is awaited, changes of the key are buffered, as for connections that
 * wait for a reply. `sendChanges` sends what was buffered.
 */
export function createPerKeyAuthorization(
  { access, limits, onError }: Pick<Core, 'access' | 'limits' | 'onError'>,
  registry: SubscriptionRegistry,
  sendChanges: (connection: Connection, changes: readonly StateChange[]) => void,
): PerKeyAuthorization {
  const { prefixes } = registry

  const isPerKey = ({ id }: Connection, prefix: string): boolean => prefixes.get(prefix)?.perKey.has(id) === true

  /** It receives the key with any verdict on the single key. */
  const receivesAnyway = (connection: Connection, key: string): boolean =>
    connection.subscriptions.has(key) || prefixes.mayReadAll(connection.id, key)

  /** A refusal with a code is the application's decision; anything else is a failure. */
  const report = (verdict: Verdict, key: string): void => {
    if ('refusal' in verdict && !(verdict.refusal instanceof RealtimeError)) onError(verdict.refusal, { stage: 'authorize', subject: key })
  }

  /** Whether the connection may read the key, once that is known; undefined: `authorize` could not say. */
  const decide = async (connection: Connection, key: string, given: Verdict[]): Promise<boolean | undefined> => {
    if (receivesAnyway(connection, key)) return true
    const verdict = await access.decide(connection, readAccess(key))
    report(verdict, key)
    given.push(verdict)
    return isYes(verdict) || (isUndecided(verdict) ? undefined : false)
  }

  const bufferUntilDecided = async (connection: Connection, key: string, changes: readonly StateChange[]): Promise<void> => {
    const endWait = registry.open(key).awaitVerdict(connection.id, changes)
    let verdict = await access.decide(connection, readAccess(key))
    while (connection.connected && (isUndecided(verdict) || !access.isCurrent(connection, verdict))) {
      if (isUndecided(verdict)) await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref())
      verdict = await access.decide(connection, readAccess(key))
    }
    report(verdict, key)
    const buffered = endWait()
    // The connection may have left meanwhile, or have subscribed by other means.
    if (isYes(verdict) || receivesAnyway(connection, key)) sendChanges(connection, buffered)
    registry.collect(key)
  }

  const mayRead = (connection: Connection, key: string): boolean | undefined => {
    if (receivesAnyway(connection, key)) return true
    if (!prefixes.isMember(connection.id, key)) return false
    const verdict = access.decide(connection, readAccess(key))
    if (verdict instanceof Promise || isUndecided(verdict)) return undefined
    report(verdict, key)
    return isYes(verdict)
  }

  const mayReceive = (connection: Connection, key: string, changes: readonly StateChange[]): boolean => {
    const may = mayRead(connection, key)
    if (may === undefined) void bufferUntilDecided(connection, key, changes)
    return may === true
  }

  return {
    apply: (connection, prefix, verdict) => {
      const subscription = prefixes.get(prefix)
      if (subscription === undefined || !connection.subscriptions.has(prefixRoom(prefix))) return
      if (isYes(verdict)) {
        subscription.perKey.delete(connection.id)
        if (!subscription.joining.has(connection.id)) connection.join(subscription.room)
      } else {
        subscription.perKey.set(connection.id, connection)
        connection.leave(subscription.room)
      }
    },
    allowedNow: (update, except) =>
      prefixes
        .perKeyMembers(update.key)
        .filter((connection) => !except.includes(connection.id) && mayReceive(connection, update.key, [update]))
        .map(({ id }) => id),
    mayReceive,
    mayRead,
    page: async (connection, prefix, list, after) => {
      const wasPerKey = isPerKey(connection, prefix)
      const given: Verdict[] = []
      const source = { list, mayRead: (key: string) => decide(connection, key, given), maxBytes: limits.maxPayloadBytes }
      const page = await (wasPerKey ? readablePage(source, after) : list(after))
      const isCurrent = (): boolean =>
        wasPerKey === isPerKey(connection, prefix) && given.every((verdict) => access.isCurrent(connection, verdict))
      return { page, isCurrent }
    },
    authorizeAll: async (connection, prefix, keys) => {
      if (!isPerKey(connection, prefix)) return
      for (let start = 0; start < keys.length; start += AT_ONCE) {
        await Promise.all(keys.slice(start, start + AT_ONCE).map(async (key) => access.decide(connection, readAccess(key))))
      }
    },
  }
}

const isYes = (verdict: Verdict): boolean => 'allow' in verdict && verdict.allow === true

/** The application could not say. */
const isUndecided = (verdict: Verdict): boolean =>
  'refusal' in verdict && verdict.refusal instanceof RealtimeError && verdict.refusal.retryable
