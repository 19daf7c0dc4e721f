import { PROTOCOL_VERSION, RealtimeError, toWireError } from '@tutti/protocol'
import type { Server, Socket } from 'socket.io'
import { answer, type Acknowledge } from './answer.ts'
import type { Admission } from './access/admission.ts'
import type { Connection } from './connection.ts'
import type { Core, Feature } from './feature.ts'
import { toConnectError } from './handshake.ts'
import type { Handler } from './handler.ts'

/** Messages that are ours; what the application sends beside them is its own affair. */
const OURS = /^(storage|event|presence|lock|room|document|server):/

const isAcknowledge = (value: unknown): value is Acknowledge => typeof value === 'function'

/** Binds connections to features: who comes in, which handler answers, who is told that one went. */
export class Connections {
  private readonly open = new Map<Socket, Connection>()
  private readonly running = new Set<Promise<void>>()
  private readonly handlers: ReadonlyMap<string, Handler>
  private readonly io: Server
  private readonly core: Core
  private readonly admission: Admission
  private readonly features: readonly Feature[]
  private accepting = true

  constructor(io: Server, core: Core, admission: Admission, features: readonly Feature[]) {
    this.io = io
    this.core = core
    this.admission = admission
    this.features = features
    this.handlers = new Map(features.flatMap((feature) => feature.handlers.map((handler) => [handler.name, handler])))
    io.use((socket, next) => void this.admit(socket, next))
    io.on('connection', this.connect)
  }

  /** No new connections; those that are here are told to go elsewhere. */
  refuse(reconnectAfterMs: number): void {
    this.accepting = false
    for (const connection of this.open.values()) connection.send('server:draining', { reconnectAfterMs })
  }

  /** Settles when every request that has arrived is answered, or after `withinMs`. */
  async idle(withinMs: number): Promise<void> {
    let late = false
    let timer: NodeJS.Timeout | undefined
    const lateness = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        late = true
        resolve()
      }, withinMs)
    })
    while (this.running.size > 0 && !late) await Promise.race([Promise.all(this.running), lateness])
    clearTimeout(timer)
  }

  /** Ends all connections. */
  disconnect(): void {
    this.io.off('connection', this.connect)
    for (const socket of [...this.open.keys()]) socket.disconnect(true)
  }

  private async admit(socket: Socket, next: (refusal?: Error) => void): Promise<void> {
    next(await this.refusalOf(socket))
  }

  private async refusalOf(socket: Socket): Promise<Error | undefined> {
    try {
      if (!this.accepting) throw new RealtimeError('UNAVAILABLE', { message: 'This instance is shutting down.' })
      await this.admission.check(socket)
      return undefined
    } catch (error) {
      if (!(error instanceof RealtimeError)) this.core.onError(error, { stage: 'authenticate' })
      return toConnectError(error)
    }
  }

  private readonly connect = (socket: Socket): void => {
    if (!this.accepting) return void socket.disconnect(true)
    const connection = this.admission.open(socket, this.core.limits.maxSubscriptions)
    this.open.set(socket, connection)
    connection.send('server:hello', { protocol: PROTOCOL_VERSION, instance: this.core.instanceId, limits: this.core.limits })
    for (const feature of this.features) feature.onConnect?.(connection)
    socket.onAny((name: string, ...args: unknown[]) => this.receive(connection, name, args))
    socket.once('disconnect', () => {
      this.open.delete(socket)
      for (const feature of this.features) feature.onDisconnect?.(connection)
      this.admission.close(connection)
    })
  }

  private receive(connection: Connection, name: string, args: unknown[]): void {
    if (!OURS.test(name)) return
    const last = args.at(-1)
    const acknowledge = isAcknowledge(last) ? last : () => {}
    const handler = this.handlers.get(name)
    if (handler === undefined)
      return acknowledge({
        ok: false,
        error: toWireError(new RealtimeError('UNSUPPORTED', { message: `This server does not know ${name}.` })),
      })
    const message = typeof args[0] === 'function' ? undefined : args[0]
    const request: Promise<void> = answer(handler, connection, message, acknowledge, this.core).finally(() => this.running.delete(request))
    this.running.add(request)
  }
}
