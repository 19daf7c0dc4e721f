import type { NoticeName, Notices, RealtimeError, Reply, RequestName, Requests } from '@tutti/protocol'

// The part of a socket that the client uses. No other file depends on Socket.IO, so that tests (and other transports) can use a
// pair in memory.

/** One server message. */
export type ServerMessage<Any extends NoticeName = NoticeName> = { [Name in Any]: { name: Name; payload: Notices[Name] } }[Any]

/** Receives the messages of a link: none before the transport has returned it, and none after `close`. */
export interface LinkListener {
  onMessage(notice: ServerMessage): void
  /**
   * The link could not be established, or is lost; called once. If the reason is not retryable, it is not established again.
   */
  onClose(reason: RealtimeError): void
}

/** One connection attempt, and the connection itself once the server's hello arrives. */
export interface Link {
  /** Sends a message, without `answer` one that needs no reply. Replies come in the order in which they arrive among the notices. */
  request<Name extends RequestName>(
    name: Name,
    payload: Requests[Name]['payload'],
    answer?: (reply: Reply<Requests[Name]['result']>) => void,
  ): void
  close(): void
}

/** Opens one link; `handshake` is sent first. Never reconnects by itself. */
export type Transport = (handshake: Readonly<Record<string, unknown>>, listener: LinkListener) => Link
