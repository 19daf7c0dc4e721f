import type { Connection } from '../connection/connection.ts'

/** Keys that one connection is brought up to date with at a time: what it does not read is that much at most. */
const BATCH = 20

/** What is needed to bring a connection up to date. */
export interface LaggardsOptions {
  isWatched(connection: Connection, key: string): boolean
  /** Reads the entries and tells them to the connection, in their place among the changes. */
  bring(connection: Connection, keys: readonly string[]): Promise<void>
}

/**
 * Connections that read too slowly (C4). They are told no changes; which keys changed is remembered instead, and their
 * newest entries are brought when they read again, no faster than they read.
 */
export class Laggards {
  private readonly missed = new Map<Connection, Set<string>>()
  private readonly options: LaggardsOptions

  constructor(options: LaggardsOptions) {
    this.options = options
  }

  /** The connection has too much before it. */
  add(connection: Connection): void {
    if (this.missed.has(connection)) return
    this.missed.set(connection, new Set())
    connection.backlog.afterDrain(() => void this.bring(connection))
  }

  /** The key changes: remembers that for those who are not told now, and gives back their ids. */
  leaveOut(key: string): string[] {
    if (this.missed.size === 0) return []
    return [...this.missed.keys()].filter((connection) => this.isLeftOut(connection, key)).map(({ id }) => id)
  }

  /** Tells whether the connection is not told of this change; if so, it is remembered. */
  isLeftOut(connection: Connection, key: string): boolean {
    const missed = this.missed.get(connection)
    if (missed === undefined || (!connection.backlog.isFull && !missed.has(key)) || !this.options.isWatched(connection, key)) return false
    missed.add(key)
    return true
  }

  /** The connection is gone. */
  delete(connection: Connection): void {
    this.missed.delete(connection)
  }

  private async bring(connection: Connection): Promise<void> {
    const missed = this.missed.get(connection)
    if (missed === undefined) return
    const keys = [...missed].slice(0, BATCH)
    for (const key of keys) missed.delete(key)
    if (keys.length === 0) return this.delete(connection)
    await this.options.bring(connection, keys)
    connection.backlog.afterDrain(() => void this.bring(connection))
  }
}
