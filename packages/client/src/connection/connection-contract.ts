import type { Limits, NoticeName, Notices, RealtimeError, RequestName, Requests } from '@tutti/protocol'
import type { Observable } from '../observable.ts'

/** The state of the connection. */
export interface ConnectionState {
  /**
   * `connecting`: the first try. `reconnecting`: it failed or was lost, and is tried again. `offline`: the machine reports that it
   * has no network (it is tried again, less often), or the application called `disconnect()` or did not yet call `connect()`.
   * `closed`: it is not tried any more.
   */
  readonly status: 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'closed'
  /** Number of the current reconnect attempt, from 1; otherwise 0. */
  readonly attempt: number
  /** Why it is not connected. */
  readonly reason: RealtimeError | undefined
  /** The ID of the connected server process. */
  readonly instance: string | undefined
  /** The server has lost its connection to Redis. */
  readonly degraded: boolean
}

/** The outcome of a request: the result, or why there is none. */
export type RequestResult<Result> = { result: Result; error?: undefined } | { error: RealtimeError; result?: undefined }

/** A handler for each server message. */
export type MessageHandlers = { [Name in NoticeName]?: (payload: Notices[Name]) => void }

/** A user of the connection: state, events, and what other entries of the package attach. */
export interface ConnectionModule extends MessageHandlers {
  /** The server's hello has arrived; the status is not yet `connected`. */
  onUp?(): void
  /** The connection is lost; the requests in flight fail after this. */
  onDown?(): void
  /** The client is being closed and is still connected: the last messages. */
  onClose?(): void
}

/** One connection at a time, established again when it is lost. */
export interface Connection extends Observable<ConnectionState> {
  /** True from the server's hello until the link is lost. */
  readonly up: boolean
  /** The server's limits, or the defaults before its hello. */
  readonly limits: Limits
  /** What the server has beyond state and events, by its hello. */
  readonly features: readonly string[]
  /** Adds a module. Returns a function that removes it. */
  attach(module: ConnectionModule): () => void
  connect(): void
  disconnect(): void
  /**
   * Sends a message. Errors besides the server's: `UNAVAILABLE` (not connected), `TOO_LARGE`, `OUTCOME_UNKNOWN` (the connection
   * was lost before the reply; no reply within `requestTimeoutMs` counts as a lost connection).
   */
  request<Name extends RequestName>(
    name: Name,
    payload: Requests[Name]['payload'],
    answer: (outcome: RequestResult<Requests[Name]['result']>) => void,
  ): void
  /** Sends a message without a reply, which may be lost. Only while `up`. */
  send<Name extends RequestName>(name: Name, payload: Requests[Name]['payload']): void
  close(): void
}
