import type { Clock } from '../connection/clock.ts'
import type { PendingChange } from './key-state.ts'

/** Stores a client's unconfirmed changes so that they outlive its page. */
export interface PendingChangeStore {
  /** Adopts the changes of earlier pages. The client waits for it before each connect: it settles in a limited time and never rejects. */
  restore(): Promise<void>
  /**
   * Stores the unconfirmed changes of a key in place of those before. The client sends them when it settles: when they are stored,
   * or after a limited time where they can't be. Never rejects.
   */
  save(key: string, pending: readonly PendingChange[]): Promise<void>
  /** Leaves the stored changes to the next page, and stores no more. */
  close(): void
}

/** The client's interface for its offline queue. */
export interface OfflineQueueContext {
  readonly clientId: string
  /** The clock of the client, for limits of time. */
  readonly clock: Clock
  /** Replaces a key's unconfirmed changes by what `run` makes of them. */
  adopt(key: string, run: (pending: readonly PendingChange[]) => readonly PendingChange[]): void
  /** Called when changes can't be stored, or one of an earlier page was refused. */
  onError(error: unknown): void
}

/** The option `offlineQueue` of a client, e.g. `createOfflineQueue()` of `@tutti/client/offline-queue`. */
export type OfflineQueue = (context: OfflineQueueContext) => PendingChangeStore
