import { PROTOCOL_VERSION, RealtimeError, toWireError } from '@tutti/protocol'
import type { Namespace, Server, Socket } from 'socket.io'
import { runRequest, type SendReply } from './run-request.ts'
import type { Admission } from './admit-connection.ts'
import { watchBacklog } from './backpressure.ts'
import type { Connection } from './connection.ts'
import type { Core, Feature } from '../feature.ts'
import { toConnectError } from './handshake.ts'
import type { Handler } from './handler.ts'
import type { Counts } from '../realtime-counts.ts'

/** Messages that are ours; what the application sends beside them is its own affair. */
const OURS = /^(storage|event|presence|lock|room|document|server):/

/** Between two connections that are told to go elsewhere, milliseconds. */
const STEP_MS = 10

/** How much longer than it was told a connection may take to go, milliseconds. */
const GRACE_MS = 500

/** The newest realtime server on each Socket.IO server. */
const newest = new WeakMap<Server, Connections>()

/** Throws `INVALID_OPTIONS` for a Socket.IO server that carries a realtime server now: both would answer each message (C7). */
export function checkIsFree(io: Server): void {
  if (newest.get(io)?.isOpen !== true) return
  throw new RealtimeError('INVALID_OPTIONS', {
    message: 'This Socket.IO server (`io`) already carries a realtime server. Await its close() first.',
  })
}

const isAcknowledge = (value: unknown): value is SendReply => typeof value === 'function'

/** Binds connections to features: who comes in, which handler answers, who is told that one went. */
export class Connections {
  /** Not yet disconnected. */
  isOpen = true
  private readonly open = new Map<Socket, Connection>()
  /** Requests without a reply. */
  private running = 0
  private onIdle = (): void => {}
  private readonly handlers: ReadonlyMap<string, Handler>
  private readonly io: Server
  private readonly core: Core
  private readonly admission: Admission
  private readonly features: readonly Feature[]
  private readonly counts: Counts
  private accepting = true
  private onEmpty = (): void => {}

  constructor(io: Server, core: Core, admission: Admission, features: readonly Feature[], counts: Counts) {
    this.io = io
    this.core = core
    this.admission = admission
    this.features = features
    this.counts = counts
    this.handlers = new Map(features.flatMap((feature) => feature.handlers.map((handler) => [handler.name, handler])))
    core.requests.onFlood = (connection) => this.closeFlooding(connection)
    newest.set(io, this)
    io.use((socket, next) => void this.admit(socket, next))
    io.on('connection', this.connect)
  }

  /**
   * No new connections; those that are here are told to go elsewhere, one after another within `spreadMs`, so that they do
   * not all come to the next instance at once. Settles when they are gone, or have had time to go. Who stays is served.
   */
  async refuse(reconnectAfterMs: number, spreadMs: number): Promise<void> {
    this.accepting = false
    const stepMs = Math.min(STEP_MS, spreadMs / Math.max(1, this.open.size))
    let afterMs = reconnectAfterMs
    for (const connection of this.open.values()) {
      connection.send('server:draining', { reconnectAfterMs: Math.round(afterMs) })
      afterMs += stepMs
    }
    await this.gone(Math.min(afterMs + GRACE_MS, spreadMs))
  }

  /** Settles when every request that has arrived is answered, or after `withinMs`. */
  async idle(withinMs: number): Promise<void> {
    if (this.running === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.onIdle = () => {}
  }

  /** Ends all connections. */
  disconnect(): void {
    this.isOpen = false
    this.io.off('new_namespace', this.guard)
    this.io.off('connection', this.connect)
    for (const socket of [...this.open.keys()]) socket.disconnect(true)
  }

  /** Refuses pages of foreign origins on the namespaces that the application adds, too. */
  guardNamespaces(): void {
    this.io.on('new_namespace', this.guard)
  }

  private readonly guard = (namespace: Namespace): void => {
    namespace.use((socket, next) => {
      try {
        this.admission.checkOrigin(socket)
        next()
      } catch (error) {
        next(this.toRefusal(socket, error))
      }
    })
  }

  private async admit(socket: Socket, next: (refusal?: Error) => void): Promise<void> {
    // Socket.IO cannot remove this middleware: after the close it lets everything pass to the next realtime server, if there is one.
    next(newest.get(this.io) === this ? await this.refusalOf(socket) : undefined)
  }

  private async refusalOf(socket: Socket): Promise<Error | undefined> {
    try {
      if (!this.accepting) throw new RealtimeError('UNAVAILABLE', { message: 'This instance is shutting down.' })
      await this.admission.check(socket)
      return undefined
    } catch (error) {
      if (!(error instanceof RealtimeError)) this.core.onError(error, { stage: 'authenticate' })
      return this.toRefusal(socket, error)
    }
  }

  private toRefusal(socket: Socket, error: unknown): Error {
    const target = this.admission.foreignOriginOf(socket)
    const actor = { user: '', address: this.admission.addressOf(socket) }
    this.core.audit.refused(actor, { action: 'connect', ...(target && { target }) }, error)
    const refusal = toConnectError(error)
    this.counts.addRefusal(refusal.data.code)
    return refusal
  }

  private gone(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.onEmpty = () => {}
        resolve()
      }
      const timer = setTimeout(end, withinMs)
      this.onEmpty = end
      if (this.open.size === 0) end()
    })
  }

  private readonly connect = (socket: Socket): void => {
    if (!this.accepting) return void socket.disconnect(true)
    const backlog = watchBacklog(socket.conn, {
      ...this.core.backlog,
      onFull: () => {
        for (const feature of this.features) feature.onSlow?.(connection)
      },
      onOverflow: () => this.closeSlow(connection),
    })
    const connection = this.admission.open(socket, this.core.limits.maxSubscriptions, backlog)
    this.open.set(socket, connection)
    this.core.audit.allowed(connection, { action: 'connect' })
    connection.send('server:hello', { protocol: PROTOCOL_VERSION, instance: this.core.instanceId, limits: this.core.limits })
    for (const feature of this.features) feature.onConnect?.(connection)
    socket.onAny((name: string, ...args: unknown[]) => this.receive(connection, name, args))
    socket.once('disconnect', () => {
      this.open.delete(socket)
      if (this.open.size === 0) this.onEmpty()
      for (const feature of this.features) feature.onDisconnect?.(connection)
      this.admission.close(connection)
    })
  }

  private closeSlow(connection: Connection): void {
    this.counts.slowConsumers += 1
    const message = `A connection did not read, and more than ${this.core.backlog.maxBytes} bytes of events and replies waited for it. It was closed.`
    this.end(connection, 'backlog', new RealtimeError('SLOW_CONSUMER', { message }))
  }

  private closeFlooding(connection: Connection): void {
    this.counts.floods += 1
    const message = 'A connection went on with requests that were refused for being too many. It was closed.'
    this.end(connection, 'flood', new RealtimeError('RATE_LIMITED', { message }))
  }

  private end(connection: Connection, stage: 'backlog' | 'flood', reason: RealtimeError): void {
    this.core.onError(reason, { stage, subject: connection.id })
    this.core.audit.refused(connection, { action: 'close' }, reason)
    connection.end()
  }

  private receive(connection: Connection, name: string, args: unknown[]): void {
    // Socket.IO hands on what had arrived before a connection was closed.
    if (!connection.connected || !OURS.test(name)) return
    const last = args.at(-1)
    const acknowledge: SendReply = (reply) => {
      if (!reply.ok) this.counts.addRefusal(reply.error.code)
      if (isAcknowledge(last)) last(reply)
    }
    const handler = this.handlers.get(name)
    if (handler === undefined)
      return acknowledge({
        ok: false,
        error: toWireError(new RealtimeError('UNSUPPORTED', { message: `This server does not know ${name}.` })),
      })
    const message = typeof args[0] === 'function' ? undefined : args[0]
    this.running += 1
    runRequest(
      handler,
      connection,
      message,
      (reply) => {
        acknowledge(reply)
        this.running -= 1
        if (this.running === 0) this.onIdle()
      },
      this.core,
    )
  }
}
