import { EventEmitter } from 'node:events'
import { Decoder, Encoder, PacketType, type Packet } from 'socket.io-parser'

// Replaces the network between a Socket.IO server and a client: `io.bind(new MemoryEngine())` is the server's end, and
// `engine.connect(…)` creates clients. All other parts of Socket.IO run: packets are encoded, queued in each direction, and
// delivered by the test.

/** The callbacks of a client's end. */
export interface MemoryLinkListener {
  /** An event of the server. */
  onEvent(name: unknown, payload: unknown): void
  /** The server refused the connection, with the `data` of its error. */
  onRefused(data: unknown): void
  /** The connection ended. */
  onClose(): void
}

/** Connects clients to the Socket.IO server that it is bound to. */
export class MemoryEngine extends EventEmitter {
  readonly opts = { maxHttpBufferSize: 1_000_000 }

  connect(auth: Readonly<Record<string, unknown>>, listener: MemoryLinkListener): MemoryLink {
    return new MemoryLink(this, auth, listener)
  }

  close(): void {}
}

/** The server's end of a connection, with the part of Engine.IO's socket that Socket.IO uses. */
class MemoryConnection extends EventEmitter {
  static count = 0
  readonly id = `memory-${++MemoryConnection.count}`
  readonly protocol = 4
  readonly request = { headers: {}, connection: {}, url: '/socket.io/' }
  readonly remoteAddress = '127.0.0.1'
  readonly transport = { name: 'memory', writable: true }
  readyState: 'open' | 'closed' = 'open'
  /** Towards the client, not yet delivered; `undefined` is the end of the connection. */
  readonly writeBuffer: (string | undefined)[] = []

  write(packet: string): void {
    this.writeBuffer.push(packet)
  }

  /** Earlier packets still arrive. */
  close(): void {
    if (this.readyState === 'closed') return
    this.writeBuffer.push(undefined)
    this.end('forced close')
  }

  end(reason: string): void {
    if (this.readyState === 'closed') return
    this.readyState = 'closed'
    this.emit('close', reason)
  }
}

/** The client's end of a connection. */
export class MemoryLink {
  readonly #connection = new MemoryConnection()
  readonly #encoder = new Encoder()
  readonly #decoder = new Decoder()
  readonly #listener: MemoryLinkListener
  readonly #up: string[] = []
  readonly #answers = new Map<number, (reply: never) => void>()
  #open = true

  constructor(engine: MemoryEngine, auth: Readonly<Record<string, unknown>>, listener: MemoryLinkListener) {
    this.#listener = listener
    this.#decoder.on('decoded', (packet: Packet) => this.#receive(packet))
    engine.emit('connection', this.#connection)
    this.#send({ type: PacketType.CONNECT, nsp: '/', data: auth })
  }

  /** True until this end has noticed the end of the connection. */
  get open(): boolean {
    return this.#open
  }

  /** Packets on their way to the server. */
  get upCount(): number {
    return this.#up.length
  }

  /** Packets on their way to the client. */
  get downCount(): number {
    return this.#open ? this.#connection.writeBuffer.length : 0
  }

  /** Sends an event with an acknowledgement. */
  request(name: string, payload: unknown, answer: (reply: never) => void): void {
    const id = this.#answers.size
    this.#answers.set(id, answer)
    this.#send({ type: PacketType.EVENT, nsp: '/', id, data: [name, payload] })
  }

  /** The next packet arrives at the server. */
  deliverUp(): void {
    const packet = this.#up.shift()
    if (packet !== undefined && this.#connection.readyState === 'open') this.#connection.emit('data', packet)
  }

  /** The next packet arrives at the client. */
  deliverDown(): void {
    if (this.downCount === 0) return
    const packet = this.#connection.writeBuffer.shift()
    if (packet === undefined) this.cut()
    else this.#decoder.add(packet)
  }

  /** Breaks the connection; packets in transit are lost. The client notices at once, the server at `noticed`. */
  cut(): void {
    if (!this.#open) return
    this.#leave()
    this.#listener.onClose()
  }

  /** The server notices that the client is gone. */
  noticed(): void {
    if (!this.#open) this.#connection.end('transport close')
  }

  /** The client disconnects; the server notices at once. */
  close(): void {
    this.#leave()
    this.noticed()
  }

  #leave(): void {
    this.#open = false
    this.#up.length = 0
    this.#decoder.destroy()
  }

  #send(packet: Packet): void {
    for (const encoded of this.#encoder.encode(packet)) if (typeof encoded === 'string') this.#up.push(encoded)
  }

  #receive(packet: Packet): void {
    const { type, id } = packet
    const data: unknown = packet.data
    const items: unknown[] = Array.isArray(data) ? data : []
    if (type === PacketType.CONNECT_ERROR) {
      this.#leave()
      this.#listener.onRefused(typeof data === 'object' && data !== null && 'data' in data ? data.data : undefined)
    } else if (type === PacketType.EVENT) this.#listener.onEvent(items[0], items[1])
    else if (type === PacketType.ACK && id !== undefined) this.#answers.get(id)?.(items[0] as never)
    else if (type === PacketType.DISCONNECT) this.cut()
  }
}
