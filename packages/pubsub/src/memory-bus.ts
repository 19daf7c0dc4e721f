import { RealtimeError } from '@tutti/protocol'

/** Carries text between the `MemoryPubSub`s of one process; give it to each. */
export interface MemoryBus {
  readonly isUp: boolean
  /** Passes text on to everybody joined, in order, after the caller's own turn. Throws `UNAVAILABLE` while interrupted. */
  send(channel: string, text: string): void
  /** Joins; returns how to leave. */
  join(member: MemoryBusMember): () => void
  /** Goes away, as a lost Redis does: what is sent is refused, until `restore`. For tests of what stands above. */
  interrupt(): void
  restore(): void
}

/** What the bus tells each that has joined. */
export interface MemoryBusMember {
  receive: (channel: string, text: string) => void
  onUp: () => void
  onDown: () => void
}

/** Makes a bus. */
export function createMemoryBus(): MemoryBus {
  const members = new Set<MemoryBusMember>()
  let isUp = true
  const change = (up: boolean, tell: (member: MemoryBusMember) => void): void => {
    if (isUp === up) return
    isUp = up
    const current = [...members]
    for (const member of current) tell(member)
  }
  return {
    get isUp() {
      return isUp
    },
    send: (channel, text) => {
      if (!isUp) throw new RealtimeError('UNAVAILABLE')
      // Later, so that what a handler publishes in answer arrives everywhere after what it answers.
      queueMicrotask(() => {
        const current = [...members]
        for (const member of current) member.receive(channel, text)
      })
    },
    join: (member) => {
      members.add(member)
      return () => void members.delete(member)
    },
    interrupt: () => change(false, (member) => member.onDown()),
    restore: () => change(true, (member) => member.onUp()),
  }
}
