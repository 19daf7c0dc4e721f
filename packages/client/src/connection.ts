import {
  DEFAULT_LIMITS,
  fromWireError,
  PROTOCOL_VERSION,
  RealtimeError,
  type Limits,
  type NoticeName,
  type Notices,
  type RequestName,
  type Requests,
} from '@tutti/protocol'
import { away } from './away.ts'
import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Network } from './network.ts'
import { isTooLarge } from './payload-size.ts'
import type { Source } from './source.ts'
import type { Link, Notice, Transport } from './transport.ts'
import { createSource } from './writable-source.ts'

/** How the connection stands (C1). */
export interface ConnectionState {
  /**
   * `connecting`: the first try. `reconnecting`: it failed or was lost, and is tried again. `offline`: the machine has no
   * network, or the application called `disconnect()`. `closed`: nobody tries any more.
   */
  readonly status: 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'closed'
  /** Which try of reconnecting this is, from 1; 0 otherwise. */
  readonly attempt: number
  /** Why it is not connected. */
  readonly reason: RealtimeError | undefined
  /** The server process at the other end. */
  readonly instance: string | undefined
  /** The server says that it works without its store. */
  readonly degraded: boolean
}

/** The outcome of a request: the result, or why there is none. */
export type Outcome<Result> = { result: Result; error?: undefined } | { error: RealtimeError; result?: undefined }

/** What the connection needs. */
export interface ConnectionOptions {
  transport: Transport
  /** What to say first; asked before each try. */
  handshake: () => Promise<Readonly<Record<string, unknown>>>
  clock: Clock
  random: () => number
  network: Network
  /** Tries of reconnecting in a row before it gives up. */
  maxAttempts: number
  requestTimeoutMs: number
  /** A listener threw. */
  onThrow: (error: unknown) => void
}

/** What is done with each server message. */
type NoticeHandlers = { [Name in NoticeName]?: (payload: Notices[Name]) => void }

/** What lives on the connection: state, events, and whatever else an application loads. */
export interface ConnectionPart extends NoticeHandlers {
  /** The server has said hello; `connected` is not yet shown. */
  onUp?(): void
  /** The link is lost; the requests under way fail after this. */
  onDown?(): void
}

/** One connection at a time, made again when it is lost. */
export interface Connection extends Source<ConnectionState> {
  /** True from the server's hello until the link is lost. */
  readonly up: boolean
  /** The server's, or the usual ones before it has said hello. */
  readonly limits: Limits
  /** Tells the part from now on. Returns its undo. */
  attach(part: ConnectionPart): () => void
  connect(): void
  disconnect(): void
  /**
   * Sends a message. Errors beside the server's: `UNAVAILABLE` (not connected), `TOO_LARGE`, `OUTCOME_UNKNOWN` (the link was
   * lost before the answer; no answer within `requestTimeoutMs` counts as a lost link).
   */
  request<Name extends RequestName>(
    name: Name,
    payload: Requests[Name]['payload'],
    answer: (outcome: Outcome<Requests[Name]['result']>) => void,
  ): void
  close(): void
}

/** Until the server names its own. */
const defaultLimits: Limits = DEFAULT_LIMITS

const none = { attempt: 0, reason: undefined, instance: undefined, degraded: false }

/** Makes the connection and begins the first try at once. */
export function createConnection(options: ConnectionOptions): Connection {
  const { transport, clock, random, network, requestTimeoutMs } = options
  const { source, show } = createSource<ConnectionState>({ ...none, status: 'connecting' }, options.onThrow)
  const waiting = new Set<(outcome: { error: RealtimeError }) => void>()
  const parts = new Set<ConnectionPart>([
    {
      'server:hello': ({ protocol, instance, limits }) => {
        if (connection.up) return
        if (protocol !== PROTOCOL_VERSION) return stay('closed', new RealtimeError('PROTOCOL'))
        cancelTimer()
        connection.limits = limits
        connection.up = wasUp = true
        attempt = 0
        for (const part of parts) part.onUp?.()
        show({ ...none, status: 'connected', instance })
      },
      'server:status': ({ degraded }) => show({ ...source.current, degraded }),
      'server:draining': ({ reconnectAfterMs }) => {
        cancelTimer()
        cancelTimer = clock.after(reconnectAfterMs, () => lose(away('The server stops.'), 0))
      },
    },
  ])
  let link: Link | undefined
  let wasUp = false
  let switchedOn = true
  let ended = false
  /** A link is being made, or is there. */
  let trying = false
  let attempt = 0
  let round = 0
  let cancelTimer = (): void => {}

  /** Leaves the link, whatever state it is in; what comes from it later is not heard. */
  const leave = (): void => {
    round++
    trying = false
    cancelTimer()
    link?.close()
    link = undefined
    if (!connection.up) return
    connection.up = false
    for (const part of parts) part.onDown?.()
    for (const settle of waiting) settle({ error: new RealtimeError('OUTCOME_UNKNOWN') })
  }

  const stay = (status: 'offline' | 'closed', reason?: RealtimeError): void => {
    leave()
    attempt = 0
    show({ ...none, status, reason })
  }

  const begin = (reason?: RealtimeError): void => {
    leave()
    const mine = round
    const heard =
      <Argument>(listener: (argument: Argument) => void) =>
      (argument: Argument): void => {
        if (mine === round) listener(argument)
      }
    trying = true
    cancelTimer = clock.after(requestTimeoutMs, () => lose(away('No hello in time.')))
    options.handshake().then(
      heard((handshake) => {
        link = transport(handshake, { onNotice: heard(receive), onClose: heard(lose) })
      }),
      heard((error: unknown) => lose(error instanceof RealtimeError ? error : away('`auth` failed.', error))),
    )
    show({ ...none, status: wasUp || attempt > 0 ? 'reconnecting' : 'connecting', attempt, reason })
  }

  /** The link is lost or was never made: tries again, unless that makes no sense. */
  const lose = (reason: RealtimeError, delayMs?: number): void => {
    if (!reason.retryable || attempt >= options.maxAttempts) return stay('closed', reason)
    if (!network.online()) return stay('offline', reason)
    leave()
    attempt++
    cancelTimer = clock.after(delayMs ?? reason.retryAfterMs ?? backoffMs(attempt - 1, random), () => begin(reason))
    show({ ...none, status: 'reconnecting', attempt, reason })
  }

  const receive = <Name extends NoticeName>(notice: Notice<Name>): void => {
    for (const part of parts) {
      const handlers: NoticeHandlers = part
      handlers[notice.name]?.(notice.payload)
    }
  }

  // The source itself, with the operations added.
  const connection = Object.assign(source, {
    up: false,
    limits: defaultLimits,
    attach: (part: ConnectionPart) => {
      parts.add(part)
      return () => void parts.delete(part)
    },
    connect: () => {
      switchedOn = true
      if (!ended && !trying) begin()
    },
    disconnect: () => {
      switchedOn = false
      if (!ended) stay('offline')
    },
    request: <Name extends RequestName>(
      name: Name,
      payload: Requests[Name]['payload'],
      answer: (outcome: Outcome<Requests[Name]['result']>) => void,
    ): void => {
      if (!link || !connection.up) return answer({ error: away('Not connected.') })
      if (isTooLarge(payload, connection.limits)) return answer({ error: new RealtimeError('TOO_LARGE') })
      const settle: typeof answer = (outcome) => {
        if (!waiting.delete(settle)) return
        cancelTimeout()
        answer(outcome)
      }
      const cancelTimeout = clock.after(requestTimeoutMs, () => lose(away('No answer in time.')))
      waiting.add(settle)
      link.request(name, payload, (reply) => settle(reply.ok ? { result: reply } : { error: fromWireError(reply.error) }))
    },
    close: () => {
      ended = true
      forgetNetwork()
      stay('closed')
    },
  })

  const forgetNetwork = network.onChange(() => {
    if (!switchedOn || source.current.status === 'closed') return
    if (!network.online()) stay('offline', away('No network.'))
    else if (!trying) begin()
  })
  if (network.online()) begin()
  else stay('offline', away('No network.'))

  return connection
}
