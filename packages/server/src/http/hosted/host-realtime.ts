import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { User } from '../../authorization/authorize.ts'
import { carryRealtime, parseAttachOptions, type AttachedRealtimeServer, type AttachRealtimeOptions } from '../node/attach-realtime.ts'
import { createSocketServer } from '../node/socket-server.ts'
import { closeOnSignals } from './close-on-signals.ts'
import { replaceCurrentRealtime } from './current-realtime.ts'

/**
 * A realtime server on an HTTP server of a host, which passes on the requests for it. All of them use Engine.IO's own
 * `handleRequest` and `handleUpgrade`, so that `allowRequest`, `cors` and the size of messages apply to every transport (X5).
 */
export interface HostedRealtime<U extends User = User> {
  readonly realtime: AttachedRealtimeServer<U>
  /** The path of its requests, `/socket.io/` by default. */
  readonly path: string
  /** Answers a request of the polling transport; settles when the response is over. After closing it answers 503. */
  handleRequest(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): Promise<void>
  /** Takes over the socket of a WebSocket. After closing it answers 503. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

const GONE = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/**
 * Makes the realtime server that `useRealtime` gives from now on; the one before it is closed. Closes on SIGTERM and
 * SIGINT. `onClosed` runs when it is closed. Throws `INVALID_OPTIONS`.
 */
export function hostRealtime<U extends User>(options: AttachRealtimeOptions<U>, onClosed: () => void = () => {}): HostedRealtime<U> {
  const settings = parseAttachOptions(options)
  const sockets = createSocketServer(settings)
  const attached = carryRealtime(sockets, settings, () => {})
  const pending = new Set<ServerResponse | Http2ServerResponse>()
  let state: 'open' | 'closing' | 'closed' = 'open'

  const end = async (): Promise<void> => {
    state = 'closing'
    // A connection kept alive after its last response would hold the host's server open for seconds.
    for (const response of pending) if (!response.headersSent) response.setHeader('connection', 'close')
    await attached.close()
    state = 'closed'
    ignoreSignals()
    onClosed()
  }
  let ending: Promise<void> | undefined
  const realtime: AttachedRealtimeServer<U> = { ...attached, close: () => (ending ??= end()) }
  const ignoreSignals = closeOnSignals(realtime.close)
  replaceCurrentRealtime(realtime)

  return {
    realtime,
    path: sockets.path,
    handleRequest: (request, response) =>
      new Promise((resolve) => {
        response.once('close', () => {
          pending.delete(response)
          resolve()
        })
        if (state !== 'open') response.setHeader('connection', 'close')
        // Engine.IO would take up new clients again.
        if (state === 'closed') {
          response.statusCode = 503
          return void response.end()
        }
        pending.add(response)
        sockets.handleRequest(request, response)
      }),
    handleUpgrade: (request, socket, head) => {
      if (state === 'closed') return void socket.end(GONE)
      sockets.handleUpgrade(request, socket, head)
    },
  }
}
