import type { StateChange } from '@tutti/storage-driver/contract'

/**
 * Those who are just subscribing to one key. Their entry is read from the store while changes go on; a joiner must get
 * each change after its entry and none from before it (S2). So, until its reply, what happens is held for it; and if its
 * entry is ahead of what this instance has heard, it is left out until the others have caught up.
 */
export class LateJoiners {
  private readonly joiners = new Map<string, { version: number | undefined; held: StateChange[] }>()

  get size(): number {
    return this.joiners.size
  }

  /** Holds changes for the connection from now on. */
  begin(connectionId: string): void {
    this.joiners.set(connectionId, { version: undefined, held: [] })
  }

  /** Has its entry at `version`: gives back what was held and is newer. `heard`: the newest version heard here. */
  settle(connectionId: string, version: number, heard: number): StateChange[] {
    const held = this.joiners.get(connectionId)?.held ?? []
    if (version > heard) this.joiners.set(connectionId, { version, held: [] })
    else this.joiners.delete(connectionId)
    return held.filter((change) => change.version > version)
  }

  delete(connectionId: string): void {
    this.joiners.delete(connectionId)
  }

  /** Whoever has an entry is like everybody else from now on. */
  forgetSettled(): void {
    for (const [id, { version }] of this.joiners) if (version !== undefined) this.joiners.delete(id)
  }

  /** Takes a change: held for those who wait; gives back the ids that the room's broadcast must leave out. */
  take(change: StateChange): string[] {
    const left: string[] = []
    for (const [id, joiner] of this.joiners) {
      if (joiner.version === undefined) joiner.held.push(change)
      else if (joiner.version < change.version) {
        this.joiners.delete(id)
        continue
      }
      left.push(id)
    }
    return left
  }
}
