import type { Limits, NoticeName, Notices, RealtimeError, RequestName, Requests } from '@tutti/protocol'
import type { Observable } from '../observable.ts'

/** The state of the connection (C1). */
export interface ConnectionState {
  /**
   * `connecting`: the first try. `reconnecting`: it failed or was lost, and is tried again. `offline`: the machine reports that it
   * has no network (it is tried again, less often), or the application called `disconnect()` or did not yet call `connect()`.
   * `closed`: it is not tried any more.
   */
  readonly status: 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'closed'
  /** Which try of reconnecting this is, from 1; 0 otherwise. */
  readonly attempt: number
  /** Why it is not connected. */
  readonly reason: RealtimeError | undefined
  /** The server process at the other end. */
  readonly instance: string | undefined
  /** The server works without its store. */
  readonly degraded: boolean
}

/** The outcome of a request: the result, or why there is none. */
export type RequestResult<Result> = { result: Result; error?: undefined } | { error: RealtimeError; result?: undefined }

/** What is done with each server message. */
export type MessageHandlers = { [Name in NoticeName]?: (payload: Notices[Name]) => void }

/** A user of the connection: state, events, and what other entries of the package attach. */
export interface ConnectionModule extends MessageHandlers {
  /** The server has said hello; `connected` is not yet shown. */
  onUp?(): void
  /** The link is lost; the requests under way fail after this. */
  onDown?(): void
}

/** One connection at a time, made again when it is lost. */
export interface Connection extends Observable<ConnectionState> {
  /** True from the server's hello until the link is lost. */
  readonly up: boolean
  /** The server's, or the usual ones before it has said hello. */
  readonly limits: Limits
  /** Calls the module from now on. Returns a function that ends that. */
  attach(module: ConnectionModule): () => void
  connect(): void
  disconnect(): void
  /**
   * Sends a message. Errors beside the server's: `UNAVAILABLE` (not connected), `TOO_LARGE`, `OUTCOME_UNKNOWN` (the link was
   * lost before the answer; no answer within `requestTimeoutMs` counts as a lost link).
   */
  request<Name extends RequestName>(
    name: Name,
    payload: Requests[Name]['payload'],
    answer: (outcome: RequestResult<Requests[Name]['result']>) => void,
  ): void
  close(): void
}
