import { RealtimeError } from '@tutti/protocol'

/** Delivers text between the `MemoryPubSub`s of one process that share it. */
export interface MemoryBus {
  readonly isUp: boolean
  /**
   * Delivers text to all members, in order, after the caller's turn.
   *
   * @throws {RealtimeError} `UNAVAILABLE` while interrupted.
   */
  send(channel: string, text: string): void
  /** Adds a member. Returns a function that removes it. */
  join(member: MemoryBusMember): () => void
  /** Refuses all messages until `restore`, like a lost Redis. For tests. */
  interrupt(): void
  restore(): void
}

/** The callbacks of a member. */
export interface MemoryBusMember {
  receive: (channel: string, text: string) => void
  onUp: () => void
  onDown: () => void
}

/** Creates a bus, for the option `bus` of `MemoryPubSub`. */
export function createMemoryBus(): MemoryBus {
  const members = new Set<MemoryBusMember>()
  let isUp = true
  const change = (up: boolean, notify: (member: MemoryBusMember) => void): void => {
    if (isUp === up) return
    isUp = up
    const current = [...members]
    for (const member of current) notify(member)
  }
  return {
    get isUp() {
      return isUp
    },
    send: (channel, text) => {
      if (!isUp) throw new RealtimeError('UNAVAILABLE', { message: 'The memory bus is interrupted. The message was not sent.' })
      // Deferred, so that a message which a handler publishes in reply arrives everywhere after the message that it replies to.
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
