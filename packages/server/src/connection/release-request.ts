import type { Socket } from 'socket.io'
import { createDelayed, TIDY_AFTER_MS } from './delayed.ts'
import { shareHandshake, shareHeaders } from './shared-headers.ts'
import { isEmitter, partOf } from './socket-internals.ts'

// Private parts, as in `socket-internals.ts`: those that keep the HTTP request of a WebSocket in memory as long as it is connected.

/** What is left of a request: what Socket.IO and applications read of it. */
interface RequestSummary {
  readonly headers: unknown
  readonly url: unknown
  readonly method: unknown
  readonly _query: unknown
  readonly connection: { readonly encrypted: boolean; readonly remoteAddress: unknown }
}

/** A listener of Engine.IO 6.6 on the TCP socket, bundled or not. Its closure keeps the response and the request (`WebSocketResponse`). */
const LISTENER = /^\(\)\s*=>\s*this\.emit\(["'`]close["'`]\)$/

/**
 * Makes the function that releases the HTTP request of a connected socket, a second later: until then listeners of the
 * application read it. `socket.handshake` stays, and `socket.request` keeps headers, address and query.
 */
export const createRequestReleaser = (): ((socket: Socket) => void) => createDelayed(release, TIDY_AFTER_MS)

function release({ conn, handshake }: Socket): void {
  const { request } = conn
  const connection: unknown = partOf(request, 'socket')
  // `socket.handshake` has the same object.
  shareHeaders(request.headers)
  shareHandshake(handshake)
  const summary: RequestSummary = {
    headers: partOf(request, 'headers'),
    url: handshake.url,
    method: partOf(request, 'method'),
    _query: partOf(request, '_query'),
    connection: { encrypted: partOf(connection, 'encrypted') === true, remoteAddress: conn.remoteAddress },
  }
  Reflect.set(conn, 'request', summary)
  releaseResponse(connection)
  // After an upgrade there is another request, on another TCP socket.
  if (conn.transport.name === 'polling') conn.once('upgrade', releaseUpgrade)
  else releaseUpgrade(conn.transport)
}

const releaseUpgrade = (transport: unknown): void => releaseResponse(partOf(partOf(transport, 'socket'), '_socket'))

/** Removes the listener, where it is as expected, after its only call: a middleware that waits for the end of the response runs. */
function releaseResponse(stream: unknown): void {
  if (!isEmitter(stream)) return
  for (const wrapper of stream.rawListeners('close')) {
    const listener: unknown = Reflect.get(wrapper, 'listener')
    if (typeof listener !== 'function' || !LISTENER.test(Function.prototype.toString.call(listener))) continue
    stream.off('close', wrapper as () => void)
    Reflect.apply(listener, undefined, [])
  }
}
