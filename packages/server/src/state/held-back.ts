import type { StateChange } from '@tutti/storage-driver/contract'

/** Changes that are held for one connection at most; past it, only the newest is. */
const MAX_HELD = 64

interface Hold {
  /** It asked for the entry and has no reply yet. */
  joining: boolean
  /** It is asked for whether it may know of the key. */
  asking: boolean
  /** Its own writes that have no reply yet. */
  writes: number
  /** The newest version that a reply told it, -1 for none. */
  version: number
  /** The newest version that it wrote, perhaps without having its reply; -1 for none. */
  written: number
  /** What happened meanwhile. */
  held: StateChange[]
}

/**
 * Connections whose changes of one key wait for a reply: to a subscription, or to a write of their own. Replies come from
 * the store by another way than changes do, and a connection must be told everything in version order (S2): its entry
 * before any later change, and its own write before any change that was made on top of it. Who was told a version that is
 * ahead of what this instance has heard is left out until the others have caught up. What is held is bounded: where a reply
 * takes long and much happens, it is told what there is at last, like everybody who does not keep up (C4).
 */
export class HeldBack {
  private readonly holds = new Map<string, Hold>()

  get size(): number {
    return this.holds.size
  }

  /** Tells whether something is held for the connection, or may leave it out. */
  has(connectionId: string): boolean {
    return this.holds.has(connectionId)
  }

  /** Holds changes for a connection that asks for the entry. */
  beginJoin(connectionId: string): void {
    this.holdOf(connectionId).joining = true
  }

  /** It has written this version; its reply is on the way. */
  noteWritten(connectionId: string, version: number): void {
    const hold = this.holds.get(connectionId)
    if (hold !== undefined) hold.written = Math.max(hold.written, version)
  }

  /** The newest version that it has written meanwhile, -1 for none. */
  writtenBy(connectionId: string): number {
    return this.holds.get(connectionId)?.written ?? -1
  }

  /**
   * Holds changes for a connection that writes. The function that is given back says that it was told what became of its
   * write, and the version (-1: none), and gives back what it must be sent now.
   */
  beginWrite(connectionId: string): (version: number, heard: number) => StateChange[] {
    const hold = this.holdOf(connectionId)
    hold.writes += 1
    return (version, heard) => {
      // It may have left meanwhile, and come back.
      if (this.holds.get(connectionId) !== hold) return []
      hold.writes -= 1
      return this.release(connectionId, version, heard)
    }
  }

  /** It has its entry at `version`: gives back what it must be sent now. `heard`: the newest version heard here. */
  endJoin(connectionId: string, version: number, heard: number): StateChange[] {
    this.holdOf(connectionId).joining = false
    return this.release(connectionId, version, heard)
  }

  /**
   * Holds changes for a connection of which nobody has said yet whether it may know of the key, those that are given first.
   * The function that is given back says that this is known, and gives back what it must be sent now, if it may.
   */
  beginAsk(connectionId: string, changes: readonly StateChange[]): (heard: number) => StateChange[] {
    const hold = this.holdOf(connectionId)
    hold.asking = true
    for (const change of changes) push(hold.held, change)
    return (heard) => {
      // It may have left meanwhile, and come back.
      if (this.holds.get(connectionId) !== hold) return []
      hold.asking = false
      return this.release(connectionId, -1, heard)
    }
  }

  /** What it must be sent before it is told that it wrote `version`. */
  beforeWritten(connectionId: string, version: number): StateChange[] {
    const hold = this.holds.get(connectionId)
    if (hold === undefined) return []
    const older = hold.held.filter((change) => change.version > hold.version && change.version <= version)
    hold.version = Math.max(hold.version, ...older.map((change) => change.version))
    // Who has no entry yet gets one that includes them.
    return hold.joining ? [] : older
  }

  delete(connectionId: string): void {
    this.holds.delete(connectionId)
  }

  /** The store has lost what replies told: whoever waits for none is like everybody else from now on. */
  forgetTold(): void {
    for (const [id, hold] of this.holds) {
      if (waits(hold)) hold.version = -1
      else this.holds.delete(id)
    }
  }

  /** Takes a change: held for those who wait; gives back the ids that the room's broadcast must leave out. */
  take(change: StateChange): string[] {
    const left: string[] = []
    for (const [id, hold] of this.holds) {
      if (waits(hold)) push(hold.held, change)
      else if (hold.version <= change.version) this.holds.delete(id)
      if (waits(hold) || hold.version >= change.version) left.push(id)
    }
    return left
  }

  /** Holds the newest change for it alone, if it waits for a reply; tells whether it does. */
  holdFor(connectionId: string, change: StateChange): boolean {
    const hold = this.holds.get(connectionId)
    if (hold === undefined || !waits(hold)) return false
    if (hold.held.every(({ version }) => version < change.version)) push(hold.held, change)
    return true
  }

  private release(connectionId: string, version: number, heard: number): StateChange[] {
    const hold = this.holdOf(connectionId)
    hold.version = Math.max(hold.version, version)
    if (waits(hold)) return []
    if (hold.version <= heard) this.holds.delete(connectionId)
    return hold.held.splice(0).filter((change) => change.version > hold.version)
  }

  private holdOf(connectionId: string): Hold {
    const existing = this.holds.get(connectionId)
    if (existing !== undefined) return existing
    const hold: Hold = { joining: false, asking: false, writes: 0, version: -1, written: -1, held: [] }
    this.holds.set(connectionId, hold)
    return hold
  }
}

const waits = ({ joining, asking, writes }: Hold): boolean => joining || asking || writes > 0

/** Whether a change says what the entry is, however much of what came before it is known. */
const isWhole = ({ value, removed }: StateChange): boolean => value !== undefined || removed === true

/** Where too much is held, or was, a patch can't be told: the change then has no value, so that the entry must be read. */
function push(held: StateChange[], change: StateChange): void {
  const [first] = held
  const lacks = first !== undefined && !isWhole(first) && first.patch === undefined
  if (held.length < MAX_HELD && !lacks) held.push(change)
  else held.splice(0, held.length, isWhole(change) ? change : { key: change.key, version: change.version })
}
