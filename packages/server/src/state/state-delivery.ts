import { RealtimeError } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import type { Mutation, StateChange, WriteResult } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection/connection.ts'
import { PlacedReply } from '../connection/handler.ts'
import type { Core } from '../feature.ts'
import { createChangeDelivery, type ChangeDelivery } from './change-delivery.ts'
import type { EntryReads } from './entry-reads.ts'
import { createInFlightWrites, type InFlightWrites } from './in-flight-writes.ts'
import { createKeyDelivery, type KeyDelivery } from './key-delivery.ts'
import { createPrefixDelivery, type PrefixDelivery } from './prefix-delivery.ts'
import { createPrefixRepair } from './prefix-repair.ts'
import type { ValidatedWrite } from './schema-validation.ts'
import { createSharedPages } from './shared-pages.ts'
import { createSharedReads, type SharedReads } from './shared-reads.ts'
import { readAccess } from './state-access.ts'
import { createSubscriptionRegistry, type SubscriptionRegistry } from './subscription-registry.ts'

/** What the connections of this instance are sent of the state, in which order. */
export interface StateDelivery {
  readonly registry: SubscriptionRegistry
  readonly changes: ChangeDelivery
  readonly keys: KeyDelivery
  readonly prefixes: PrefixDelivery
  /** Reads that connections share. */
  readonly reads: SharedReads
  readonly inFlight: InFlightWrites
  /**
   * Writes for a connection. The reply is ordered among the changes of others, and so the writer does not receive its own
   * change (S2). If the reply cannot report the outcome, the connection receives its own changes, too, or the entry once the
   * store can be read again (F2).
   */
  duringWrite<Result extends object>(
    connection: Connection,
    mutation: Mutation,
    write: ValidatedWrite,
    resultOf: (result: WriteResult) => Result,
  ): PlacedReply<Result>
  /** Delivers a change that the store announced. */
  apply(change: StateChange): void
  /** Compares what was sent with the store, after changes may have been missed, and delivers what differs (S3, F3). */
  repair(): Promise<void>
  /** Delivers entries below prefixes of which nothing was sent. */
  repairPrefixes(): Promise<void>
  /** The connection is closed. */
  leaveAll(connection: Connection): void
  /** Reads nothing more by itself. */
  close(): void
}

/** What is remembered of a write until its reply. */
type WriteIdentity = Pick<Mutation, 'key' | 'op' | 'author'>

/** Makes the delivery of one instance. */
export function createStateDelivery(core: Core, entries: EntryReads): StateDelivery {
  const registry = createSubscriptionRegistry()
  const inFlight = createInFlightWrites()
  const reads = createSharedReads(entries)
  const pages = createSharedPages(entries, registry, core.limits.maxPayloadBytes)
  const changes = createChangeDelivery(core, entries, registry)
  const { audience, sendEntries } = changes
  const keys = createKeyDelivery({ registry, audience, reads, inFlight })
  const prefixes = createPrefixDelivery({ registry, audience, pages, reads, inFlight, sendEntries })
  const prefixRepair = createPrefixRepair(core, registry, pages, changes)

  /** Begins a write of a subscriber. The function that is returned ends it, once the reply with `version` was sent. */
  const beginWrite = (connection: Connection, key: string): ((version: number) => void) => {
    if (!registry.isSubscribed(connection, key)) return () => {}
    const { id } = connection
    const subscription = registry.open(key)
    const write = subscription.beginWrite(id)
    if (registry.prefixes.joining(key).includes(id)) subscription.begin(id, 'pageReply')
    return (version) => {
      audience.sendChanges(connection, subscription.endWrite(id, write, version))
      registry.collect(key)
    }
  }

  /** No reply reports the outcome of the write: the connection learns it from the stream, or from the entry. */
  const loseOutcome = (connection: Connection, { key, author }: WriteIdentity): void => {
    if (!registry.isSubscribed(connection, key)) return
    // A client that numbers its mutations repeats this one, and is replied to then.
    if (author === undefined) registry.open(key).sendOwnChangesTo(connection.id)
    else registry.open(key).sendNextEntryTo(connection)
  }

  /** The error as the writer may see it: a user that may write and not read gets the code alone. */
  const refusalOf = (connection: Connection, error: RealtimeError, { key, op }: WriteIdentity): RealtimeError | Promise<RealtimeError> => {
    if (!showsStored(error, op)) return error
    const withoutEntry = (): RealtimeError => new RealtimeError(error.code, { message: error.message, cause: error })
    const verdict = core.access.decide(connection, readAccess(key))
    if (verdict instanceof Promise) return verdict.then((later) => ('refusal' in later ? withoutEntry() : error))
    return 'refusal' in verdict ? withoutEntry() : error
  }

  return {
    ...{ registry, changes, keys, prefixes, reads, inFlight },
    duringWrite: (connection, mutation, write, resultOf) => {
      const { key, op, author } = mutation
      // Not the mutation: its value would be in memory until the reply.
      const identity = { key, op, author }
      const endInFlight = inFlight.begin(connection, key)
      const endWrite = beginWrite(connection, key)
      /** The version that the write made, and the one that the reply reports; -1: none. */
      let written = -1
      let sent = -1
      const noteWritten = (version: number): void => {
        written = version
        registry.find(key)?.noteWritten(connection.id, version)
      }
      const succeed = (result: WriteResult): ReturnType<typeof resultOf> => {
        // Without the value of a patch that was merged with those of others, the client takes it from the change (S8).
        sent = result.base === result.version ? result.version - 1 : result.version
        noteWritten(result.version)
        return resultOf(result)
      }
      const fail = (error: unknown): never | Promise<never> => {
        if (!(error instanceof RealtimeError)) throw error
        if (error.code === 'OUTCOME_UNKNOWN') loseOutcome(connection, identity)
        if (error.entry !== undefined) noteWritten((sent = error.entry.version))
        const refusal = refusalOf(connection, error, identity)
        if (!(refusal instanceof Promise)) throw refusal
        return refusal.then((later) => {
          throw later
        })
      }
      return new PlacedReply(started(write, mutation).then(succeed, fail), {
        before: () => {
          if (written >= 0) audience.sendChangesNow(connection, registry.find(key)?.beforeWritten(connection.id, written) ?? [])
        },
        after: () => {
          endWrite(sent)
          endInFlight()
        },
      })
    },
    apply: changes.apply,
    repair: async () => {
      await changes.refresh(registry.keys())
      await prefixRepair.run()
    },
    repairPrefixes: () => prefixRepair.run(),
    leaveAll: (connection) => {
      audience.slowConsumers.delete(connection)
      prefixes.leaveAll(connection)
      keys.leaveAll(connection)
    },
    close: () => {
      changes.close()
      prefixRepair.close()
    },
  }
}

/** The write as a promise, also where it throws at once. */
function started(write: ValidatedWrite, mutation: Mutation): Promise<WriteResult> {
  try {
    return write(mutation)
  } catch (error) {
    return Promise.reject(toError(error))
  }
}

/** Whether the error contains a part of the stored value: the entry of a conflict, or the issues of a schema about a result. */
const showsStored = ({ entry, issues }: RealtimeError, op: Mutation['op']): boolean =>
  entry !== undefined || (issues !== undefined && (op === 'patch' || op === 'increment'))
