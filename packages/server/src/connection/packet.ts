/** The default namespace needs no name in a packet. Engine.IO's message type (`4`) comes before Socket.IO's packet type. */
const MESSAGE = '4'
const EVENT = '2'
const ACKNOWLEDGEMENT = '3'

/** The first byte of a WebSocket frame: the whole message in one frame (FIN), text. */
const FINAL_TEXT = 0x81

/** Payload lengths up to which the header of a frame has 2 and 4 bytes (RFC 6455, section 5.2). A longer one needs 10. */
const MAX_LENGTH_IN_HEADER = 125
const MAX_LENGTH_IN_16_BITS = 0xff_ff

/**
 * One packet of Socket.IO as text, and its WebSocket frame. The frame is made on first use and shared by all receivers of a
 * broadcast, so it must not be changed.
 */
export class Packet {
  /** As Socket.IO encodes it, without Engine.IO's message type. */
  readonly text: string
  private encoded: Buffer | undefined

  constructor(text: string) {
    this.text = text
  }

  get frame(): Buffer {
    return (this.encoded ??= encodeFrame(MESSAGE + this.text))
  }
}

/** An event with one argument, which is JSON text. */
export const eventPacket = (name: string, json: string): Packet => new Packet(`${EVENT}["${name}",${json}]`)

/** The acknowledgement of the client's packet with this id. Its only argument is JSON text. */
export const acknowledgementPacket = (id: number, json: string): Packet => new Packet(`${ACKNOWLEDGEMENT}${id}[${json}]`)

/** A text message of a server, which is not masked, as one frame. */
function encodeFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const headerLength = length <= MAX_LENGTH_IN_HEADER ? 2 : length <= MAX_LENGTH_IN_16_BITS ? 4 : 10
  const frame = Buffer.allocUnsafe(headerLength + length)
  frame[0] = FINAL_TEXT
  if (headerLength === 2) frame[1] = length
  else if (headerLength === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, headerLength)
  return frame
}
