import type { Reply } from '@tutti/protocol'
import { acknowledgementPacket, type Packet } from './packet.ts'

/** Marks a reply that contains bytes: Socket.IO sends them as binary frames of their own. */
export const BINARY = 'binary'

/** How a reply is encoded: once for many connections, or with bytes. Default: as JSON. */
export type ReplyEncoding = SharedReply | typeof BINARY

/** The encoded form of a reply that many connections are sent, such as clients that reconnect at once. */
export class SharedReply {
  private json: string | undefined
  private id: number | undefined
  private packet: Packet | undefined

  /** The acknowledgement of the packet with this id. The reply must be the same in each call; its text is made in the first one. */
  packetOf(id: number, reply: Reply): Packet {
    if (this.packet === undefined || this.id !== id) {
      this.id = id
      this.packet = acknowledgementPacket(id, (this.json ??= JSON.stringify(reply)))
    }
    return this.packet
  }
}
