import type { Connection } from '../connection/connection.ts'

interface Write {
  key: string
  answered: Promise<void>
}

/**
 * Writes that have no reply yet, by connection. An entry that is read while they are under way may include them, so its
 * reply must come after theirs: else a client would lay its pending change on top of its own effect (S2).
 */
export class WritesUnderWay {
  private readonly writes = new WeakMap<Connection, Set<Write>>()

  /** A write begins; the function that is given back says that its reply was sent. */
  begin(connection: Connection, key: string): () => void {
    let done = (): void => {}
    const answered = new Promise<void>((resolve) => {
      done = resolve
    })
    const writes = this.writes.get(connection) ?? new Set<Write>()
    const write = { key, answered }
    this.writes.set(connection, writes.add(write))
    return () => {
      writes.delete(write)
      done()
    }
  }

  /** The keys of those that are under way now, one for each. */
  of(connection: Connection): string[] {
    return [...(this.writes.get(connection) ?? [])].map(({ key }) => key)
  }

  /** Settles when those writes of the keys asked for that are under way now have their reply. */
  async answered(connection: Connection, isAsked: (key: string) => boolean): Promise<void> {
    const writes = [...(this.writes.get(connection) ?? [])].filter(({ key }) => isAsked(key))
    await Promise.all(writes.map(({ answered }) => answered))
  }
}
