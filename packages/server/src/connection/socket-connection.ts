import type { NoticeName, Notices, Reply } from '@tutti/protocol'
import type { Socket } from 'socket.io'
import type { Backlog, Backpressure, PacketQueue } from './backpressure.ts'
import type { Acknowledgement } from './client-messages.ts'
import { createSubscriptions, type Connection, type Requester, type Subscriptions } from './connection.ts'
import type { Notice } from './notice.ts'
import { acknowledgementPacket, eventPacket, type Packet } from './packet.ts'
import { PacketWriter } from './packet-writer.ts'
import type { Rooms } from './rooms.ts'
import { BINARY, type ReplyEncoding } from './shared-reply.ts'
import { ENGINE_PROTOCOL, engineSocketOf, eventSourceOf, isOutgoingObserved, type EngineSocket } from './socket-internals.ts'
import type { Turns } from './turns.ts'

/** What all connections of one server share. */
export interface ConnectionContext {
  readonly rooms: Rooms
  readonly turns: Turns
  readonly backpressure: Backpressure<SocketConnection>
  readonly maxSubscriptions: number
  /** Packets are encoded and framed here. Otherwise each goes through Socket.IO. */
  readonly ownPackets: boolean
}

/** The identity of a connection. */
export type Identity = Pick<Connection, 'user' | 'address' | 'clientId'>

const NO_BACKLOG: Backlog = { isFull: false, afterDrain: (run) => run() }

/** The connection of a socket. There is one instance for each client, so nothing in it is made before it is needed. */
export class SocketConnection implements Requester {
  readonly user: string
  readonly address: string
  readonly clientId: string | undefined
  readonly subscriptions: Subscriptions
  readonly openedAt = Math.floor(performance.now())
  requestsInFlight = 0
  private readonly socket: Socket
  private readonly context: ConnectionContext
  private readonly engine: EngineSocket | undefined
  private readonly writer: PacketWriter | undefined
  private queue: PacketQueue | undefined

  constructor(socket: Socket, { user, address, clientId }: Identity, context: ConnectionContext) {
    this.socket = socket
    this.user = user
    this.address = address
    this.clientId = clientId
    this.context = context
    this.subscriptions = createSubscriptions(context.maxSubscriptions)
    this.engine = engineSocketOf(socket)
    if (context.ownPackets && this.engine?.protocol === ENGINE_PROTOCOL) this.writer = new PacketWriter(this.engine, context.turns)
    context.rooms.join(this.id, this)
  }

  get id(): string {
    return this.socket.id
  }

  get connected(): boolean {
    return this.socket.connected
  }

  get backlog(): Backlog {
    if (this.engine === undefined) return NO_BACKLOG
    return (this.queue ??= this.context.backpressure.open(this.engine, this))
  }

  send<Name extends NoticeName>(name: Name, payload: Notices[Name]): void {
    const { writer } = this
    if (writer === undefined || this.isObserved()) this.emit(name, payload)
    else this.write(writer, eventPacket(name, JSON.stringify(payload)))
  }

  deliver(notice: Notice<NoticeName>): void {
    const { writer } = this
    if (writer === undefined || this.isObserved()) this.emit(notice.name, notice.payload)
    else this.write(writer, notice.packet)
  }

  /** Acknowledges a message of the client. */
  reply(acknowledgement: Acknowledgement, reply: Reply, encoding?: ReplyEncoding): void {
    if (acknowledgement === undefined) return
    const { writer } = this
    if (typeof acknowledgement === 'number' && writer !== undefined && encoding !== BINARY) {
      return this.write(writer, encoding?.packetOf(acknowledgement, reply) ?? acknowledgementPacket(acknowledgement, JSON.stringify(reply)))
    }
    if (typeof acknowledgement === 'function') acknowledgement(reply)
    else eventSourceOf(this.socket)?.ack(acknowledgement)(reply)
    this.count()
  }

  end(): void {
    this.socket.conn.close(true)
  }

  /** Sends what waits in this turn, then disconnects. */
  disconnect(): void {
    this.writer?.flush()
    this.socket.disconnect(true)
  }

  join(room: string): void {
    if (this.connected) this.context.rooms.join(room, this)
  }

  leave(room: string): void {
    this.context.rooms.leave(room, this)
  }

  /** The socket is disconnected. */
  close(): void {
    this.context.rooms.leaveAll(this)
    this.queue?.close()
  }

  private isObserved(): boolean {
    return this.engine !== undefined && isOutgoingObserved(this.socket, this.engine)
  }

  private emit(name: NoticeName, payload: unknown): void {
    this.socket.emit(name, payload)
    this.count()
  }

  private write(writer: PacketWriter, packet: Packet): void {
    // Its client has left the namespace, or its transport is gone.
    if (!this.socket.connected) return
    writer.write(packet)
    this.count()
  }

  private count(): void {
    if (this.engine === undefined || this.engine.writeBuffer.length === 0) return
    this.queue ??= this.context.backpressure.open(this.engine, this)
    this.queue.count()
  }
}
