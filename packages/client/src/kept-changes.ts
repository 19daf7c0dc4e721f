import type { PendingChange } from './key-state.ts'

/** Keeps a client's unconfirmed changes where they outlive its page. */
export interface KeptChanges {
  /** Hands over what earlier pages left behind; asked before each connect. Never rejects. */
  restore(): Promise<void>
  /** Keeps the unconfirmed changes of a key in place of those before; settles when they are safe. Never rejects. */
  save(key: string, pending: readonly PendingChange[]): Promise<void>
  /** Keeps what is there for the next page, and nothing more. */
  close(): void
}

/** What the client gives to whoever keeps its changes. */
export interface KeptChangesContext {
  readonly clientId: string
  /** Replaces a key's unconfirmed changes by what `run` makes of them. */
  rewrite(key: string, run: (pending: readonly PendingChange[]) => readonly PendingChange[]): void
  /** Hears why changes can't be kept, or why one of an earlier page was refused. */
  onError(error: unknown): void
}

/** The option `keep` of a client, e.g. `keptQueue()` of `@tutti/client/kept-queue`. */
export type KeepChanges = (context: KeptChangesContext) => KeptChanges
