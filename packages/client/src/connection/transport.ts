import type { NoticeName, Notices, RealtimeError, Reply, RequestName, Requests } from '@tutti/protocol'

// What the client needs from a socket. Nothing above this file knows Socket.IO, so that tests (and other transports)
// can use a pair in memory.

/** One server message. */
export type ServerMessage<Any extends NoticeName = NoticeName> = { [Name in Any]: { name: Name; payload: Notices[Name] } }[Any]

/** Receives the messages of a link: none before the transport has returned it, and none after `close`. */
export interface LinkListener {
  onMessage(notice: ServerMessage): void
  /** The link could not be made, or is lost; called once. With a reason that isn't retryable the client does not try again (C1). */
  onClose(reason: RealtimeError): void
}

/** One attempt at a connection, and the connection it becomes when the server says hello. */
export interface Link {
  /** Sends a message; replies come in the order in which they arrive among the notices. */
  request<Name extends RequestName>(
    name: Name,
    payload: Requests[Name]['payload'],
    answer: (reply: Reply<Requests[Name]['result']>) => void,
  ): void
  close(): void
}

/** Opens one link; `handshake` is sent first. Never tries again by itself. */
export type Transport = (handshake: Readonly<Record<string, unknown>>, listener: LinkListener) => Link
