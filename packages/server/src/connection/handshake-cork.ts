import type { IncomingMessage } from 'node:http'
import type { Server, Socket } from 'socket.io'
import { directStreamOf, engineSocketOf } from './socket-internals.ts'
import type { Turns } from './turns.ts'

/** Joins the packets of a handshake: the HTTP answer goes out with Engine.IO's first packet, Socket.IO's with the server's hello. */
export interface HandshakeCork {
  /** The socket is about to be connected or refused. */
  beforeConnect(socket: Socket): void
  close(): void
}

/** Makes it for one Socket.IO server. */
export function createHandshakeCork({ engine }: Partial<Pick<Server, 'engine'>>, turns: Turns): HandshakeCork {
  /** Emitted right before the HTTP answer is written, when nothing can refuse the upgrade any more. */
  const onHeaders = (_headers: unknown, { headers, socket }: IncomingMessage): void => {
    if (headers.upgrade !== undefined) turns.cork(socket)
  }
  engine?.on('initial_headers', onHeaders)
  return {
    beforeConnect: (socket) => {
      const conn = engineSocketOf(socket)
      const direct = conn && directStreamOf(conn.transport)
      if (direct !== undefined) turns.cork(direct.stream)
    },
    close: () => void engine?.off('initial_headers', onHeaders),
  }
}
