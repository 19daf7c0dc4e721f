import type { Entry } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection/connection.ts'
import type { Core } from '../feature.ts'
import { createAudience, type Audience } from './audience.ts'
import type { EntryReads } from './entry-reads.ts'
import type { KeySubscription } from './key-subscription.ts'
import type { DeliveryStep, KnownByWriter } from './delivery-step.ts'
import type { SubscriptionRegistry } from './subscription-registry.ts'
import { isTransient } from './transient-error.ts'

/** Keys in one read at most. */
const BATCH = 500

/** Delay between two attempts to read entries while the store is unavailable, milliseconds. */
const RETRY_MS = 500

/** Delivers changes, and entries that are read anew: what was too large for its message (S5), and what may have been missed (F3). */
export interface ChangeDelivery {
  readonly audience: Audience
  /** Delivers a change that the store announced. */
  apply(change: StateChange): void
  /** Delivers an entry that was read while changes of its key waited, then these changes. */
  endRead(subscription: KeySubscription, ...read: Parameters<KeySubscription['endRead']>): void
  /** Reads entries and sends them to the connection, in their place among the changes. */
  sendEntries(connection: Connection, keys: readonly string[]): Promise<void>
  /** Reads entries and delivers what differs from what was sent; what cannot be read now is read later. Reports its failures. */
  refresh(keys: readonly string[]): Promise<void>
  /** Reads nothing more by itself. */
  close(): void
}

/** Makes the delivery of one instance. `store.read` is not shared with connections. */
export function createChangeDelivery(core: Core, store: Pick<EntryReads, 'read'>, registry: SubscriptionRegistry): ChangeDelivery {
  /** Keys that are read as soon as the store answers. */
  const unread = new Set<string>()
  let retry: NodeJS.Timeout | undefined
  let closed = false

  const sendEntries = async (connection: Connection, keys: readonly string[]): Promise<void> => {
    for (const key of keys) if (registry.isSubscribed(connection, key)) registry.open(key).sendNextEntryTo(connection)
    await refresh(keys)
  }
  const audience = createAudience(core, registry, sendEntries)

  const perform = (step: DeliveryStep | undefined): void => {
    switch (step?.step) {
      case undefined:
        break
      case 'broadcast':
        audience.broadcast(step.update, step.except, step.json)
        break
      case 'fetch':
        void refresh([step.key], step.writer)
        break
      case 'send':
        for (const connection of step.connections) audience.sendEntry(connection, step.entry)
        break
    }
  }

  const endRead: ChangeDelivery['endRead'] = (subscription, ...read) => {
    perform(subscription.endRead(...read))
    // Where another entry is still being read, they continue to wait.
    for (const change of subscription.takeWaiting()) perform(subscription.receive(change))
  }

  const read = async (keys: readonly string[], writer: KnownByWriter | undefined): Promise<void> => {
    const reads = keys.map((key) => registry.open(key)).map((subscription) => ({ subscription, sentBefore: subscription.beginRead() }))
    let entries: Entry[] = []
    try {
      entries = await store.read(keys)
    } finally {
      for (const [index, { subscription, sentBefore }] of reads.entries()) endRead(subscription, entries[index], { sentBefore, writer })
      for (const key of keys) registry.collect(key)
    }
  }

  const refresh = async (keys: readonly string[], writer?: KnownByWriter): Promise<void> => {
    for (let start = 0; start < keys.length; start += BATCH) {
      const batch = keys.slice(start, start + BATCH)
      await read(batch, writer).catch((error: unknown) => failed(batch, error))
    }
  }

  const failed = async (keys: readonly string[], error: unknown): Promise<void> => {
    if (isTransient(error)) {
      // Reported once for all that wait.
      if (retry === undefined) report(keys, error)
      for (const key of keys) unread.add(key)
      retry ??= plan()
    } else if (keys.length > 1) {
      // A key that cannot be read must not keep the others from being read.
      for (const key of keys) await refresh([key])
    } else report(keys, error)
  }

  const readAgain = async (): Promise<void> => {
    const keys = [...unread].filter((key) => registry.has(key))
    unread.clear()
    await refresh(keys)
    retry = unread.size > 0 ? plan() : undefined
  }

  const plan = (): NodeJS.Timeout | undefined => (closed ? undefined : setTimeout(() => void readAgain(), RETRY_MS))

  const report = ([subject]: readonly string[], error: unknown): void => core.onError(error, { stage: 'watch', subject })

  return {
    audience,
    apply: (change) => {
      const { key, removed } = change
      perform(registry.forChange(key)?.receive(change))
      if (removed === true) registry.collect(key)
    },
    endRead,
    sendEntries,
    refresh: (keys) => refresh(keys),
    close: () => {
      closed = true
      clearTimeout(retry)
    },
  }
}
