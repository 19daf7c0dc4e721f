import type { BenchRequest } from './bench-client.ts'

/** How one connection to a Socket.IO server words its messages: the events of Tutti, or those of the adapter's instances. */
export interface Dialect {
  /** Socket.IO's `auth`. */
  readonly auth: Readonly<Record<string, unknown>>
  /** The event that carries updates. */
  readonly updateEvent: string
  toMessage(request: BenchRequest): readonly [event: string, payload: object]
}
