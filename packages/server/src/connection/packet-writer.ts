import type { Duplex } from 'node:stream'
import type { Packet } from './packet.ts'
import { directStreamOf, isWritable, type DirectStream, type EngineSocket } from './socket-internals.ts'
import type { Turns } from './turns.ts'

/** Bytes that are collected for one connection in a turn before they are written. */
const MAX_CORKED_BYTES = 65_536

/**
 * Writes packets to one client. Where nothing waits for the client, a frame is written to the stream below its WebSocket,
 * without the steps between. Else Engine.IO queues the packet. Both ways end in one stream, and a frame is written directly only
 * while Engine.IO's queue is empty, so the client receives packets in the order of the calls.
 *
 * The first frame of a turn is written at once. Those that follow in the same turn are collected, and so is the first one where
 * the last turn had several.
 */
export class PacketWriter {
  private readonly engine: EngineSocket
  private readonly turns: Turns
  private transport: object | undefined
  private direct: DirectStream | undefined
  private turn = 0
  private framesInTurn = 0
  private isBusy = false

  constructor(engine: EngineSocket, turns: Turns) {
    this.engine = engine
    this.turns = turns
  }

  write(packet: Packet): void {
    const { engine } = this
    if (engine.readyState !== 'open') return
    const direct = this.directOf(engine.transport)
    if (direct === undefined) engine.write(packet.text, {})
    else if (engine.writeBuffer.length === 0 && isWritable(direct) && isClear(direct.stream)) this.writeFrame(direct.stream, packet.frame)
    else engine.write(packet.text, { wsPreEncodedFrame: [packet.frame] })
  }

  /** Writes what was collected in this turn: the end of a connection could discard it. */
  flush(): void {
    const stream = this.direct?.stream
    // At the end of the turn nothing is left to uncork then.
    while (stream !== undefined && stream.writableCorked > 0) stream.uncork()
  }

  private writeFrame(stream: Duplex, frame: Buffer): void {
    const turn = this.turns.enter()
    if (turn !== this.turn) {
      this.isBusy = this.framesInTurn > 1
      this.framesInTurn = 0
      this.turn = turn
    }
    this.framesInTurn += 1
    if ((this.isBusy || this.framesInTurn > 1) && stream.writableCorked === 0) this.turns.cork(stream)
    stream.write(frame)
    if (stream.writableCorked > 0 && stream.writableLength > MAX_CORKED_BYTES) this.flush()
  }

  private directOf(transport: object): DirectStream | undefined {
    if (transport !== this.transport) {
      // It changes once, from polling to a WebSocket.
      this.transport = transport
      this.direct = directStreamOf(transport)
    }
    return this.direct
  }
}

/** All that was written in earlier turns has been handed to the operating system. */
const isClear = (stream: Duplex): boolean => stream.writableCorked > 0 || stream.writableLength === 0
