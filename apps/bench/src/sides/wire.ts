import type { BenchRequest } from './bench-client.ts'

/** What a text frame from an instance is. */
export type Frame =
  | { kind: 'update' }
  | { kind: 'reply'; id: number; ok: boolean }
  /** The connection can be used. */
  | { kind: 'connected' }
  /** The frame must be answered with `text`. */
  | { kind: 'respond'; text: string }
  | { kind: 'other' }

/** How text frames over a WebSocket are read and written: the relay's, or Socket.IO's. */
export interface Wire {
  /** Appended to the URL of the instance. */
  readonly path: string
  /** Whether the connection can be used as soon as it is open. */
  readonly connectedWhenOpen: boolean
  read(text: string): Frame
  encode(id: number, request: BenchRequest): string
}
