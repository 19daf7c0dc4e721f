import type { Connection } from '../connection.ts'

/**
 * Writes that have no reply yet, by connection and key. An entry that is read while they are under way may include them,
 * so its reply must come after theirs: else a client would lay its pending change on top of its own effect (S2).
 */
export class WritesUnderWay {
  private readonly writes = new WeakMap<Connection, Map<string, Set<Promise<void>>>>()

  /** A write begins; the function that is given back says that its reply was sent. */
  begin(connection: Connection, key: string): () => void {
    let done = (): void => {}
    const answered = new Promise<void>((resolve) => {
      done = resolve
    })
    const byKey = this.writes.get(connection) ?? new Map<string, Set<Promise<void>>>()
    const group = byKey.get(key) ?? new Set<Promise<void>>()
    this.writes.set(connection, byKey.set(key, group.add(answered)))
    return () => {
      group.delete(answered)
      if (group.size === 0 && byKey.get(key) === group) byKey.delete(key)
      done()
    }
  }

  /** Settles when those writes of these keys that are under way now have their reply. */
  async answered(connection: Connection, keys: readonly string[]): Promise<void> {
    const byKey = this.writes.get(connection)
    if (byKey !== undefined && byKey.size > 0) await Promise.all(keys.flatMap((key) => [...(byKey.get(key) ?? [])]))
  }
}
