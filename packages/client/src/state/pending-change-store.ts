import type { Clock } from '../connection/clock.ts'
import type { PendingChange } from './key-state.ts'

/** Keeps a client's unconfirmed changes where they outlive its page. */
export interface PendingChangeStore {
  /** Hands over what earlier pages left behind. The client waits for it before each connect: it settles in a limited time and never rejects. */
  restore(): Promise<void>
  /**
   * Keeps the unconfirmed changes of a key in place of those before. The client sends them when it settles: when they are safe,
   * or after a limited time where they can't be kept. Never rejects.
   */
  save(key: string, pending: readonly PendingChange[]): Promise<void>
  /** Keeps what is there for the next page, and nothing more. */
  close(): void
}

/** What the client gives to whoever keeps its changes. */
export interface OfflineQueueContext {
  readonly clientId: string
  /** The clock of the client, for limits of time. */
  readonly clock: Clock
  /** Replaces a key's unconfirmed changes by what `run` makes of them. */
  adopt(key: string, run: (pending: readonly PendingChange[]) => readonly PendingChange[]): void
  /** Hears why changes can't be kept, or why one of an earlier page was refused. */
  onError(error: unknown): void
}

/** The option `offlineQueue` of a client, e.g. `createOfflineQueue()` of `@tutti/client/offline-queue`. */
export type OfflineQueue = (context: OfflineQueueContext) => PendingChangeStore
