import { RealtimeError, type Entry, type EntryPage, type Requests } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import { getSchema, subscribeSchema, unsubscribeSchema } from '@tutti/protocol/internal/schemas'
import { ALLOWED, type Verdict } from '../authorization/authorization-cache.ts'
import type { Connection } from '../connection/connection.ts'
import { defineHandler, PlacedReply, type Handler, type Returned } from '../connection/handler.ts'
import type { Core } from '../feature.ts'
import { noEntry, type EntryReads } from './entry-reads.ts'
import type { RequestedKeys } from './key-delivery.ts'
import { createOwnerLock } from './owner-lock.ts'
import { readablePage } from './readable-page.ts'
import { readAccess, readAccesses } from './state-access.ts'
import type { StateDelivery } from './state-delivery.ts'

/** What is read: keys, or a page below a prefix. */
type Subscribe = Requests['storage:subscribe']['payload']

/** The handlers of all reads. */
export interface ReadHandlers {
  readonly get: Handler<'storage:get'>
  readonly subscribe: Handler<'storage:subscribe'>
  readonly unsubscribe: Handler<'storage:unsubscribe'>
  /** `storage:subscribe` without a subscription: for server code that acts as a user. It is no message of the wire. */
  readonly read: Handler<'storage:subscribe'>
}

/** Makes the handlers. */
export function createReadHandlers(core: Core, delivery: StateDelivery, entries: EntryReads): ReadHandlers {
  const { access, limits, onError } = core
  /** A connection's subscribe and unsubscribe messages must not overtake each other while the store is read. */
  const lock = createOwnerLock<Connection>()

  const isCurrent = (connection: Connection, verdicts: readonly Verdict[]): boolean =>
    verdicts.every((verdict) => access.isCurrent(connection, verdict))

  /** Whether server code may read a key for a user; throws where `authorize` could not say. */
  const mayRead = async (connection: Connection, key: string): Promise<boolean> => {
    const verdict = await access.decide(connection, readAccess(key))
    if (!('refusal' in verdict)) return verdict.allow === true
    const { refusal } = verdict
    if (!(refusal instanceof RealtimeError)) onError(refusal, { stage: 'authorize', subject: key })
    else if (refusal.retryable) throw refusal
    return false
  }

  const pageOf = async (message: Subscribe, connection: Connection, [verdict = ALLOWED]: readonly Verdict[]): Promise<EntryPage> => {
    // Not a shared read: server code may change the entries that it receives.
    if (!('prefix' in message)) return { entries: await entries.read(message.keys.map(({ key }) => key)) }
    const { prefix, after } = message
    if ('allow' in verdict && verdict.allow === true) return entries.list(prefix, after)
    const source = {
      list: (from: string | undefined) => entries.list(prefix, from),
      mayRead: (key: string) => mayRead(connection, key),
      maxBytes: limits.maxPayloadBytes,
    }
    return readablePage(source, after)
  }

  const read = async (message: Subscribe, connection: Connection, verdicts: readonly Verdict[]): Promise<EntryPage> => {
    const page = await pageOf(message, connection, verdicts)
    if (isCurrent(connection, verdicts)) return page
    // Rights were taken away while it was read.
    return access.admit<EntryPage>(connection, readAccesses(message), (current) => read(message, connection, current))
  }

  /** The list in the last request, and what it requests: many clients send the same. */
  let last: { readonly list: unknown; readonly requested: RequestedKeys } | undefined

  const requestedBy = ({ keys: list }: Extract<Subscribe, { keys: unknown }>): RequestedKeys => {
    if (last?.list !== list) {
      const versions = new Map(list.map(({ key, version }) => [key, version]))
      last = { list, requested: { keys: [...versions.keys()], versions: [...versions.values()] } }
    }
    return last.requested
  }

  /** The current entries, and every change after them (S2): of keys, or of a prefix, page by page (S17). */
  const subscribe = (message: Subscribe, connection: Connection, [verdict = ALLOWED]: readonly Verdict[]) => {
    const versions = 'prefix' in message ? Object.keys(message.versions ?? {}) : message.keys
    if (versions.length > limits.maxKeysPerMessage)
      throw new RealtimeError('TOO_LARGE', { message: `Too many keys in one message (maxKeysPerMessage: ${limits.maxKeysPerMessage}).` })
    if ('prefix' in message) return delivery.prefixes.subscribe(connection, message, verdict)
    return delivery.keys.subscribe(connection, requestedBy(message))
  }

  /** Runs after the earlier tasks of the connection, until its reply was sent. */
  const inTurn = async <Result extends object>(connection: Connection, act: () => Returned<Result>): Promise<PlacedReply<Result>> => {
    const release = await lock.acquire(connection)
    try {
      const returned = await act()
      if (!(returned instanceof PlacedReply)) return new PlacedReply(returned, { after: release })
      const after = (): void => {
        returned.after()
        release()
      }
      return new PlacedReply(returned.result, { before: returned.before, after, encoding: returned.encoding })
    } catch (error) {
      return new PlacedReply<Result>(Promise.reject(toError(error)), { after: release })
    }
  }

  return {
    read: defineHandler('storage:subscribe', subscribeSchema, readAccesses, (message, connection, verdicts) =>
      read(message, connection, verdicts),
    ),
    get: defineHandler(
      'storage:get',
      getSchema,
      ({ key }) => [readAccess(key)],
      async ({ key }, connection, verdicts) => {
        const entry = await readOne(delivery.reads, key)
        // Also of writes that began after the request: the read may have been sent after them.
        await delivery.inFlight.replied(connection, (written) => written === key)
        delivery.registry.find(key)?.noteSent(entry.version)
        // The right to it may have been taken away while it was read.
        if (!isCurrent(connection, verdicts)) assertAllowed(await access.decide(connection, readAccess(key)))
        return entry
      },
    ),
    subscribe: defineHandler('storage:subscribe', subscribeSchema, readAccesses, (message, connection, verdicts) =>
      inTurn<EntryPage>(connection, () => {
        if (isCurrent(connection, verdicts)) return subscribe(message, connection, verdicts)
        // Rights were taken away while it waited for its turn.
        return access.admit(connection, readAccesses(message), (current) => subscribe(message, connection, current))
      }),
    ),
    unsubscribe: defineHandler(
      'storage:unsubscribe',
      unsubscribeSchema,
      () => [],
      (message, connection) =>
        inTurn<object>(connection, () => {
          if ('prefix' in message) delivery.prefixes.leave(connection, message.prefix)
          else for (const { key } of message.keys) delivery.keys.leave(connection, key)
          return {}
        }),
    ),
  }
}

function assertAllowed(verdict: Verdict): void {
  if ('refusal' in verdict) throw verdict.refusal
}

/** The entry of one key. */
export async function readOne(reads: Pick<EntryReads, 'read'>, key: string): Promise<Entry> {
  const [entry] = await reads.read([key])
  if (entry === undefined) throw noEntry(key)
  return entry
}
