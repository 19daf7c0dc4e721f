import type { NoticeName, Notices } from '@tutti/protocol'
import { eventPacket, type Packet } from './packet.ts'

/** What is sent to many connections. It is encoded once, and only where one of them has a socket. */
export class Notice<Name extends NoticeName> {
  readonly name: Name
  readonly payload: Notices[Name]
  private readonly json: string | undefined
  private encoded: Packet | undefined

  /** `json`: the text of the payload, where that is known already. */
  constructor(name: Name, payload: Notices[Name], json: string | undefined) {
    this.name = name
    this.payload = payload
    this.json = json
  }

  get packet(): Packet {
    return (this.encoded ??= eventPacket(this.name, this.json ?? JSON.stringify(this.payload)))
  }
}
