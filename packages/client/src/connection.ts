import { fromWireError, PROTOCOL_VERSION, RealtimeError, type Limits, type RequestName, type Requests } from '@tutti/protocol'
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
  /** Runs before `connected` is shown. */
  onUp: () => void
  /** Runs when the link is lost, before the requests under way fail. */
  onDown: () => void
  onNotice: (notice: Notice) => void
  /** A listener threw. */
  onThrow: (error: unknown) => void
}

/** One connection at a time, made again when it is lost. */
export interface Connection extends Source<ConnectionState> {
  /** True from the server's hello until the link is lost. */
  readonly up: boolean
  readonly limits: Limits | undefined
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

const none = { attempt: 0, reason: undefined, instance: undefined, degraded: false }

/** Makes the connection and begins the first try at once. */
export function createConnection(options: ConnectionOptions): Connection {
  const { transport, clock, random, network, requestTimeoutMs } = options
  const { source, show } = createSource<ConnectionState>({ ...none, status: 'connecting' }, options.onThrow)
  const waiting = new Set<(error: RealtimeError) => void>()
  let link: Link | undefined
  let limits: Limits | undefined
  let up = false
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
    if (!up) return
    up = false
    options.onDown()
    for (const fail of waiting) fail(new RealtimeError('OUTCOME_UNKNOWN'))
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
      heard((error: unknown) =>
        lose(error instanceof RealtimeError ? error : new RealtimeError('UNAVAILABLE', { message: '`auth` failed.', cause: error })),
      ),
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

  const receive = (notice: Notice): void => {
    if (notice.name === 'server:hello') {
      if (up) return
      const { protocol, instance } = notice.payload
      if (protocol !== PROTOCOL_VERSION) return stay('closed', new RealtimeError('PROTOCOL'))
      cancelTimer()
      limits = notice.payload.limits
      up = wasUp = true
      attempt = 0
      options.onUp()
      show({ ...none, status: 'connected', instance })
    } else if (notice.name === 'server:draining') {
      cancelTimer()
      cancelTimer = clock.after(notice.payload.reconnectAfterMs, () => lose(away('The server stops.'), 0))
    }
    options.onNotice(notice)
  }

  const forgetNetwork = network.onChange(() => {
    if (!switchedOn || source.current.status === 'closed') return
    if (!network.online()) stay('offline', away('No network.'))
    else if (!trying) begin()
  })
  if (network.online()) begin()
  else stay('offline', away('No network.'))

  return {
    get current() {
      return source.current
    },
    subscribe: (listener) => source.subscribe(listener),
    get up() {
      return up
    },
    get limits() {
      return limits
    },
    connect: () => {
      switchedOn = true
      if (!ended && !trying) begin()
    },
    disconnect: () => {
      switchedOn = false
      if (!ended) stay('offline')
    },
    request: (name, payload, answer) => {
      if (!link || !limits || !up) return answer({ error: away('Not connected.') })
      if (isTooLarge(payload, limits)) return answer({ error: new RealtimeError('TOO_LARGE') })
      const fail = (error: RealtimeError): void => {
        if (settled()) answer({ error })
      }
      const settled = (): boolean => {
        cancelTimeout()
        return waiting.delete(fail)
      }
      const cancelTimeout = clock.after(requestTimeoutMs, () => lose(away('No answer in time.')))
      waiting.add(fail)
      link.request(name, payload, (reply) => {
        if (settled()) answer(reply.ok ? { result: reply } : { error: fromWireError(reply.error) })
      })
    },
    close: () => {
      if (ended) return
      ended = true
      forgetNetwork()
      stay('closed')
    },
  }
}

const away = (message: string): RealtimeError => new RealtimeError('UNAVAILABLE', { message })
