import type { Entry } from '@tutti/protocol'

/** A connection that subscribes to keys. */
export class Join {
  readonly connectionId: string
  /** Its reply is sent, or its request has failed. */
  isOver = false

  constructor(connectionId: string) {
    this.connectionId = connectionId
  }
}

/** How many joins that are over may be listed, beside as many as are not. */
const MAX_OVER = 32

const NOTHING: readonly Entry[] = []

/**
 * The connections that join one key while nothing happens to it. Mostly nothing does before their replies, and then none of them
 * needs a cursor: when all clients reconnect, that would be one for each key of each connection.
 */
export class KeyJoins {
  /** How many of them have no reply yet. */
  size = 0
  /** The entry that began the stream meanwhile. */
  start: Entry | undefined
  private joins: Join[] = []

  add(join: Join): void {
    if (this.joins.length > MAX_OVER + 2 * this.size) this.joins = this.waiting()
    this.joins.push(join)
    this.size += 1
  }

  /** A connection was sent this version of the entry (-1: none). Returns what it missed. */
  end(version: number): readonly Entry[] {
    this.size -= 1
    return this.missedSince(version)
  }

  /** What a connection missed that has this version of the entry. */
  missedSince(version: number): readonly Entry[] {
    return this.start !== undefined && this.start.version > version ? [this.start] : NOTHING
  }

  /** Those that have no reply yet. */
  waiting(): Join[] {
    return this.joins.filter(({ isOver }) => !isOver)
  }
}
