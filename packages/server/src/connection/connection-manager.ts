import { PROTOCOL_VERSION, RealtimeError, toWireError, type Notices, type Reply } from '@tutti/protocol'
import type { Server, Socket } from 'socket.io'
import type { Core, Feature } from '../feature.ts'
import type { Counts } from '../realtime-counts.ts'
import type { Admission } from './admit-connection.ts'
import { createBackpressure } from './backpressure.ts'
import { createMessageSource, type MessageListener } from './client-messages.ts'
import { receiveDirectly } from './direct-messages.ts'
import { createSocketCompactor } from './compact-socket.ts'
import { createCondition } from './condition.ts'
import type { Connection } from './connection.ts'
import { createConnectGuard } from './connect-guard.ts'
import type { Handler } from './handler.ts'
import { createHandshakeCork } from './handshake-cork.ts'
import { createRequestReleaser } from './release-request.ts'
import { Notice } from './notice.ts'
import type { Rooms } from './rooms.ts'
import { runRequest } from './run-request.ts'
import type { ReplyEncoding } from './shared-reply.ts'
import type { ConnectionContext, SocketConnection } from './socket-connection.ts'
import { hasDefaultPackets } from './socket-internals.ts'
import { createTurns } from './turns.ts'

/** Between two connections that are sent elsewhere, milliseconds. */
const STEP_MS = 10

/** How much longer than the announced wait a connection may take to leave, milliseconds. */
const GRACE_MS = 500

/** Connects the sockets of one server to its features. */
export interface ConnectionManager {
  /** Not yet disconnected. */
  readonly isOpen: boolean
  /**
   * No new connections. The clients of this instance are sent elsewhere one after another within `spreadMs`, so that they do
   * not all connect to the next instance at once. Settles when they are gone, or have had time to go. Those that stay are served.
   */
  refuse(reconnectAfterMs: number, spreadMs: number): Promise<void>
  /** Settles when every request that has arrived has its reply, or after `withinMs`. */
  idle(withinMs: number): Promise<void>
  /** Ends all connections. */
  disconnect(): void
}

/** How the packets of a server are sent, and what is kept of its connections. */
export interface TransportSettings {
  /** Packets are encoded here, and frames are written to the stream of a WebSocket where that is possible. */
  readonly directFrames: boolean
  /** The HTTP request of a connection is kept while it is connected. */
  readonly keepRequests: boolean
  /** Pages of foreign origins are refused on the namespaces that the application adds, too. */
  readonly guardsNamespaces: boolean
}

/** What a connection manager needs. */
export interface ConnectionManagerOptions extends TransportSettings {
  readonly io: Server
  readonly core: Core
  readonly rooms: Rooms
  readonly admission: Admission
  readonly features: readonly Feature[]
  readonly counts: Counts
  /** Names of features beyond state and events, for `server:hello`. */
  readonly announced: readonly string[]
}

/** The newest realtime server on each Socket.IO server. */
const newest = new WeakMap<Server, ConnectionManager>()

/** Throws `INVALID_OPTIONS` for a Socket.IO server that carries a realtime server now: both would answer each message (C7). */
export function checkIsFree(io: Server): void {
  if (newest.get(io)?.isOpen !== true) return
  throw new RealtimeError('INVALID_OPTIONS', {
    message: 'This Socket.IO server (`io`) already has a realtime server. Await its close() first.',
  })
}

/** Makes the connection manager of one server. */
export function createConnectionManager(options: ConnectionManagerOptions): ConnectionManager {
  const { io, core, rooms, admission, features, counts, announced } = options
  const handlers = new Map<string, Handler>(features.flatMap((feature) => feature.handlers.map((handler) => [handler.name, handler])))
  const open = new Map<Socket, SocketConnection>()
  const isEmpty = createCondition(() => open.size === 0)
  let running = 0
  const isIdle = createCondition(() => running === 0)
  let isOpen = true

  const end = (connection: Connection, stage: 'slowConsumer' | 'flood', reason: RealtimeError): void => {
    core.onError(reason, { stage, subject: connection.id })
    core.audit.refused(connection, { action: 'close' }, reason)
    connection.end()
  }
  const closeSlow = (connection: SocketConnection): void => {
    counts.slowConsumers += 1
    const message = `Connection closed: slow consumer with more than ${core.backlog.maxBytes} unsent bytes of events and replies (maxUnsentBytes).`
    end(connection, 'slowConsumer', new RealtimeError('SLOW_CONSUMER', { message }))
  }
  const reportSlow = (connection: SocketConnection): void => {
    for (const feature of features) feature.onSlow?.(connection)
  }

  const greeting: Notices['server:hello'] = {
    protocol: PROTOCOL_VERSION,
    instance: core.instanceId,
    limits: core.limits,
    ...(announced.length > 0 && { features: [...announced] }),
  }
  /** Encoded once for all connections. */
  const hello = new Notice('server:hello', greeting, undefined)
  const turns = createTurns()
  const handshake = createHandshakeCork(io, turns)
  const guard = createConnectGuard({ core, admission, counts })
  const stopGuard = options.guardsNamespaces ? guard.guardNamespaces(io) : () => {}
  const backpressure = createBackpressure<SocketConnection>({ ...core.backlog, onFull: reportSlow, onOverflow: closeSlow })
  const { maxSubscriptions } = core.limits
  const ownPackets = options.directFrames && hasDefaultPackets(io)
  const context: ConnectionContext = { rooms, turns, backpressure, maxSubscriptions, ownPackets }

  const receive: MessageListener = (socket, name, message, acknowledgement) => {
    const connection = open.get(socket)
    // Socket.IO hands on what had arrived before a connection was closed.
    if (connection?.connected !== true) return
    const acknowledge = (reply: Reply, encoding?: ReplyEncoding): void => {
      if (!reply.ok) counts.addRefusal(reply.error.code)
      connection.reply(acknowledgement, reply, encoding)
    }
    const handler = handlers.get(name)
    if (handler === undefined) {
      const error = new RealtimeError('UNSUPPORTED', { message: `Unsupported message: ${name}.` })
      return acknowledge({ ok: false, error: toWireError(error) })
    }
    running += 1
    const reply = (content: Reply, encoding?: ReplyEncoding): void => {
      acknowledge(content, encoding)
      running -= 1
      isIdle.check()
    }
    runRequest(handler, connection, message, reply, core)
  }

  /** One function for all sockets, and not one for each. */
  function onDisconnect(this: Socket): void {
    const connection = open.get(this)
    if (connection === undefined) return
    open.delete(this)
    isEmpty.check()
    connection.close()
    for (const feature of features) feature.onDisconnect?.(connection)
    admission.close(connection)
  }

  const receiveMessages = createMessageSource(receive, !options.directFrames)
  const compact = createSocketCompactor()
  const releaseRequest = createRequestReleaser()
  const connect = (socket: Socket): void => {
    if (guard.isClosed) return void socket.disconnect(true)
    const connection = admission.open(socket, context)
    open.set(socket, connection)
    core.audit.allowed(connection, { action: 'connect' })
    connection.deliver(hello)
    for (const feature of features) feature.onConnect?.(connection)
    receiveMessages(socket)
    if (ownPackets) receiveDirectly(socket, receive)
    socket.on('disconnect', onDisconnect)
    if (!options.keepRequests) releaseRequest(socket)
    if (options.directFrames) compact(socket)
  }

  const manager: ConnectionManager = {
    get isOpen() {
      return isOpen
    },
    refuse: async (reconnectAfterMs, spreadMs) => {
      guard.close()
      const stepMs = Math.min(STEP_MS, spreadMs / Math.max(1, open.size))
      let afterMs = reconnectAfterMs
      for (const connection of open.values()) {
        connection.send('server:draining', { reconnectAfterMs: Math.round(afterMs) })
        afterMs += stepMs
      }
      await isEmpty.until(Math.min(afterMs + GRACE_MS, spreadMs))
    },
    idle: (withinMs) => isIdle.until(withinMs),
    disconnect: () => {
      isOpen = false
      stopGuard()
      handshake.close()
      io.off('connection', connect)
      for (const connection of [...open.values()]) connection.disconnect()
      backpressure.close()
    },
  }

  const admit = async (socket: Socket, next: (refusal?: Error) => void): Promise<void> => {
    // Socket.IO cannot remove this middleware: after the close it passes every socket on to the next realtime server, if any.
    if (newest.get(io) !== manager) return next()
    const refusal = await guard.refusalOf(socket)
    handshake.beforeConnect(socket)
    next(refusal)
  }

  core.requests.onFlood = (connection) => {
    counts.floods += 1
    const message = 'Connection closed: it continued to send requests after too many rate-limit refusals in one second (requestsPerSecond).'
    end(connection, 'flood', new RealtimeError('RATE_LIMITED', { message }))
  }
  newest.set(io, manager)
  io.use((socket, next) => void admit(socket, next))
  io.on('connection', connect)
  return manager
}
