import {
  DEFAULT_LIMITS,
  fromWireError,
  PROTOCOL_VERSION,
  RealtimeError,
  type Limits,
  type NoticeName,
  type RequestName,
  type Requests,
} from '@tutti/protocol'
import { byteLength } from '@tutti/protocol/internal'
import { unavailableError } from './unavailable-error.ts'
import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Connection, ConnectionModule, ConnectionState, MessageHandlers, RequestResult } from './connection-contract.ts'
import type { Network } from './network.ts'
import { ENVELOPE_BYTES } from './batches.ts'
import type { Link, ServerMessage, Transport } from './transport.ts'
import { createObservable } from '../observable.ts'

/** Dependencies and settings of the connection. */
export interface ConnectionOptions {
  transport: Transport
  /** The data sent first; called before each attempt. */
  handshake: () => Promise<Readonly<Record<string, unknown>>>
  clock: Clock
  random: () => number
  network: Network
  /** Maximum consecutive reconnect attempts. */
  maxAttempts: number
  requestTimeoutMs: number
  /** How long the server may be silent after a wake-up, milliseconds (C6). */
  probeTimeoutMs: number
  /** With `false`, `connect()` starts the first attempt. */
  autoConnect?: boolean
  /** A listener threw. */
  onThrow: (error: unknown) => void
}

/** Used until the server sends its own. */
const defaultLimits: Limits = DEFAULT_LIMITS

/** A request without a reply. */
interface Unanswered {
  readonly since: number
  readonly fail: (outcome: { error: RealtimeError }) => void
}

const noReply = (ms: number): string => `No reply within ${ms} ms.`

const none = { attempt: 0, reason: undefined, instance: undefined, degraded: false }

/** Creates the connection and starts the first attempt at once, unless `autoConnect` is false. */
export function createConnection(options: ConnectionOptions): Connection {
  const { transport, clock, random, network, requestTimeoutMs, probeTimeoutMs } = options
  const { observable, show } = createObservable<ConnectionState>({ ...none, status: 'connecting' }, options.onThrow)
  /** The requests without a reply, the oldest first. */
  const unanswered = new Set<Unanswered>()
  const modules = new Set<ConnectionModule>([
    {
      'server:hello': ({ protocol, instance, limits, features = [] }) => {
        if (connection.up) return
        if (protocol !== PROTOCOL_VERSION)
          return stay(
            'closed',
            new RealtimeError('PROTOCOL', { message: `Server and client have protocol versions ${protocol} and ${PROTOCOL_VERSION}.` }),
          )
        cancelTimer()
        connection.limits = limits
        connection.features = features
        connection.up = wasUp = true
        attempt = 0
        for (const module of modules) module.onUp?.()
        show({ ...none, status: 'connected', instance })
      },
      'server:status': ({ degraded }) => show({ ...observable.current, degraded }),
      'server:draining': ({ reconnectAfterMs }) => {
        cancelTimer()
        cancelTimer = loseAfter(reconnectAfterMs, 0, 'Server shutdown.')
      },
    },
  ])
  let link: Link | undefined
  let wasUp = false
  let ended = false
  /** A link is being established, or is open. */
  let trying = false
  let attempt = 0
  let round = 0
  let cancelTimer = (): void => {}
  let cancelProbe: (() => void) | undefined
  let cancelTimeout: (() => void) | undefined
  let ignoreNetwork: (() => void) | undefined
  /** A wake-up starts no attempt before this time: one has just started, or the server requested a delay. */
  let notBeforeMs = 0

  /** Leaves the link in any state; a closed link reports nothing more. */
  const leave = (): void => {
    round++
    trying = false
    cancelTimer()
    cancelProbe?.()
    cancelProbe = undefined
    link?.close()
    link = undefined
    if (!connection.up) return
    connection.up = false
    for (const module of modules) module.onDown?.()
    cancelTimeout?.()
    cancelTimeout = undefined
    for (const request of unanswered) {
      unanswered.delete(request)
      request.fail({ error: new RealtimeError('OUTCOME_UNKNOWN') })
    }
  }

  const stay = (status: 'offline' | 'closed', reason?: RealtimeError): void => {
    leave()
    ignoreNetwork?.()
    ignoreNetwork = undefined
    attempt = 0
    show({ ...none, status, reason })
  }

  /** Shows an attempt that is in progress or planned. */
  const showTry = (reason?: RealtimeError): void => {
    const status = wasUp || attempt > 0 ? 'reconnecting' : 'connecting'
    show({ ...none, status: network.online() ? status : 'offline', attempt, reason })
  }

  const begin = (reason?: RealtimeError): void => {
    leave()
    ignoreNetwork ??= network.onChange(wake)
    notBeforeMs = clock.now() + probeTimeoutMs
    const mine = round
    trying = true
    cancelTimer = loseAfter(requestTimeoutMs)
    options.handshake().then(
      (handshake) => {
        if (mine === round) link = transport(handshake, { onMessage: receive, onClose: lose })
      },
      (error: unknown) => {
        if (mine === round) lose(error instanceof RealtimeError ? error : unavailableError('`auth` threw an error, see `cause`.', error))
      },
    )
    showTry(reason)
  }

  /** The link was lost or could not be established: tries again, unless the failure is permanent. */
  const lose = (reason: RealtimeError, delayMs = reason.retryAfterMs): void => {
    // Without a network attempts are rare and not counted: otherwise `maxAttempts` could be reached before the network returns.
    const online = network.online()
    if (!reason.retryable || (online && attempt >= options.maxAttempts)) return stay('closed', reason)
    leave()
    notBeforeMs = clock.now() + (reason.retryAfterMs ?? 0)
    cancelTimer = clock.after(delayMs ?? backoffMs(online ? attempt : Infinity, random), () => begin(reason))
    attempt = online ? attempt + 1 : 0
    showTry(reason)
  }

  /** One timer for all requests: it runs for the oldest one, then for the next. */
  const limitOldest = (): void => {
    const [oldest] = unanswered
    cancelTimeout =
      oldest &&
      // The clock may have been set back meanwhile.
      clock.after(Math.min(requestTimeoutMs, oldest.since + requestTimeoutMs - clock.now()), () => {
        if (unanswered.has(oldest)) lose(unavailableError(noReply(requestTimeoutMs)))
        else limitOldest()
      })
  }

  /** Counts the link as lost after a time. Returns a cancel function. */
  const loseAfter = (timeoutMs: number, retryMs?: number, message = noReply(timeoutMs)): (() => void) =>
    clock.after(timeoutMs, () => lose(unavailableError(message), retryMs))

  /** The connection may have been lost unnoticed (C6): probes it. Without a connection, an attempt starts at once. */
  const wake = (): void => {
    const { status, reason } = observable.current
    if (connection.up) {
      if (cancelProbe) return
      cancelProbe = loseAfter(probeTimeoutMs, 0)
      connection.request('storage:unsubscribe', { keys: [] }, () => {})
    } else if (clock.now() >= notBeforeMs) begin(reason)
    else if ((status === 'offline') === network.online()) showTry(reason)
  }

  const receive = <Name extends NoticeName>(notice: ServerMessage<Name>): void => {
    // The connection works: ends the probe.
    cancelProbe?.()
    cancelProbe = undefined
    for (const module of modules) {
      const handlers: MessageHandlers = module
      handlers[notice.name]?.(notice.payload)
    }
  }

  // The observable itself, with the operations added.
  const connection = Object.assign(observable, {
    up: false,
    limits: defaultLimits,
    features: [] as readonly string[],
    attach: (module: ConnectionModule) => {
      modules.add(module)
      return () => void modules.delete(module)
    },
    connect: () => {
      if (!ended && !trying) begin()
    },
    disconnect: () => {
      if (!ended) stay('offline')
    },
    request: <Name extends RequestName>(
      name: Name,
      payload: Requests[Name]['payload'],
      answer: (outcome: RequestResult<Requests[Name]['result']>) => void,
    ): void => {
      if (!link || !connection.up) return answer({ error: unavailableError('Not connected: the request was not sent.') })
      const size = byteLength(JSON.stringify(payload)) + ENVELOPE_BYTES
      if (size > connection.limits.maxPayloadBytes)
        return answer({
          error: new RealtimeError('TOO_LARGE', {
            message: `Message too large: ${size} bytes (maxPayloadBytes: ${connection.limits.maxPayloadBytes}).`,
          }),
        })
      const request = { since: clock.now(), fail: answer }
      unanswered.add(request)
      if (!cancelTimeout) limitOldest()
      link.request(name, payload, (reply) => {
        if (!unanswered.delete(request)) return
        cancelProbe?.()
        cancelProbe = undefined
        answer(reply.ok ? { result: reply } : { error: fromWireError(reply.error) })
      })
    },
    send: <Name extends RequestName>(name: Name, payload: Requests[Name]['payload']): void => link?.request(name, payload),
    close: () => {
      ended = true
      if (connection.up) for (const module of modules) module.onClose?.()
      stay('closed')
    },
  })

  if (options.autoConnect === false) stay('offline')
  else begin()

  return connection
}
