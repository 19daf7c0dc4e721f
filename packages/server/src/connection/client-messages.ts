import type { Reply } from '@tutti/protocol'
import type { Socket } from 'socket.io'
import { isOurs } from './direct-messages.ts'
import { eventSourceOf, isIncomingObserved, type EventSource } from './socket-internals.ts'

/** How a message is acknowledged: by the id of its packet, or by the function of Socket.IO. `undefined`: not at all. */
export type Acknowledgement = number | ((reply: Reply) => void) | undefined

/** Receives a message of a client. */
export type MessageListener = (socket: Socket, name: string, message: unknown, acknowledgement: Acknowledgement) => void

const isFunction = (value: unknown): value is (reply: Reply) => void => typeof value === 'function'

/**
 * Makes the function that connects a socket to the listener. It replaces the socket's `onevent`, so that messages of the
 * protocol come at once and without a function for their acknowledgement. Messages of the application, and those of ours that
 * it listens to as well, go to Socket.IO. Where `onevent` is another than expected, or `throughSocketIo` is set, the listener is
 * one of `onAny`.
 */
export function createMessageSource(receive: MessageListener, throughSocketIo: boolean): (socket: Socket) => void {
  let original: EventSource['onevent'] | undefined

  const onEvent: EventSource['onevent'] = function (this: Socket, packet) {
    const [name, message] = packet.data
    const { id } = packet
    if (!isOurs(name)) return original?.call(this, packet)
    if (!isIncomingObserved(this, name)) return receive(this, name, message, id)
    // One function for both, for a message is acknowledged once.
    const acknowledge = id === undefined ? undefined : eventSourceOf(this)?.ack(id)
    packet.id = undefined
    if (acknowledge !== undefined) packet.data.push(acknowledge)
    receive(this, name, message, acknowledge)
    original?.call(this, packet)
  }

  const onAny =
    (socket: Socket) =>
    (name: string, ...args: unknown[]) => {
      if (!isOurs(name)) return
      const [message] = args
      const last = args.at(-1)
      receive(socket, name, isFunction(message) ? undefined : message, isFunction(last) ? last : undefined)
    }

  return (socket) => {
    const source = throughSocketIo ? undefined : eventSourceOf(socket)
    original ??= source?.onevent
    if (source !== undefined && source.onevent === original) source.onevent = onEvent
    else socket.onAny(onAny(socket))
  }
}
