import type { Entry, StateUpdate } from '@tutti/protocol'
import type { Connection } from '../connection/connection.ts'

/** An entry at a version, and the connection that has it from the reply to its own write. */
export interface KnownByWriter {
  readonly id: string
  readonly version: number
}

/** What must be done about a change or an entry. */
export type DeliveryStep =
  /** Send the update to all subscribers but those with these ids. `json`: its text, where that is known. */
  | { readonly step: 'broadcast'; readonly update: StateUpdate; readonly json?: string | undefined; readonly except: string[] }
  /** Read the entry, which was too large for the message (S5). */
  | { readonly step: 'fetch'; readonly key: string; readonly writer: KnownByWriter | undefined }
  /** Send the entry to these connections alone. */
  | { readonly step: 'send'; readonly entry: Entry; readonly connections: readonly Connection[] }

/** How an entry that was read is to be delivered. */
export interface EndReadOptions {
  /** What `beginRead` returned before it was read. */
  readonly sentBefore?: number
  /** Has the entry at this version already. */
  readonly writer?: KnownByWriter | undefined
}
