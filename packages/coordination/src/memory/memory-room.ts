import { RealtimeError, type JsonValue } from '@tutti/protocol'
import type { Joined, MemberIdentity, Members } from '../contract.ts'
import type { CoordinationSettings } from '../coordination-options.ts'
import { memberIdOf } from '../members/member-id.ts'
import { infoText, memberOf } from '../members/member-info.ts'
import { createRoomReplica } from '../members/room-replica.ts'

interface MemoryMember {
  readonly id: string
  readonly key: string
  readonly identity: MemberIdentity
  isListed: boolean
  info: JsonValue | undefined
  timer?: NodeJS.Timeout
}

/** A room of one process. */
export interface MemoryRoom extends Members {
  close(): void
}

/** What a room needs. */
export interface MemoryRoomOptions {
  room: string
  settings: CoordinationSettings
  onOpen: () => void
  onEmpty: () => void
  /** The room has neither members nor views. */
  onUnused: () => void
}

/** Makes an empty room. All calls take effect at once. */
export function createMemoryRoom({ room, settings, onOpen, onEmpty, onUnused }: MemoryRoomOptions): MemoryRoom {
  const byKey = new Map<string, MemoryMember>()
  const byConnection = new Map<string, MemoryMember>()
  const endIfUnused = (): void => {
    if (byKey.size === 0 && !replica.hasViews) onUnused()
  }
  const replica = createRoomReplica({
    onListenerError: (error) => settings.onError(error, { stage: 'listener', room }),
    settlingMs: () => 0,
    onUnobserved: endIfUnused,
  })
  replica.open()

  /** Shows members to the views. */
  const show = (members: readonly MemoryMember[], left: readonly string[] = []): void => {
    const listed = members.filter(({ isListed }) => isListed)
    replica.apply({ present: listed.map(({ id, identity, info }) => memberOf(id, identity.user, infoText(info))), left, count: byKey.size })
  }
  /** Lists the member that was counted first. */
  const promote = (): MemoryMember[] => {
    const next = [...byKey.values()].find(({ isListed }) => !isListed)
    if (next === undefined) return []
    next.isListed = true
    return [next]
  }

  const remove = (member: MemoryMember): void => {
    clearTimeout(member.timer)
    byKey.delete(member.key)
    byConnection.delete(member.identity.connectionId)
    show(member.isListed ? promote() : [], [member.id])
    if (byKey.size === 0) onEmpty()
    endIfUnused()
  }

  const join = (identity: MemberIdentity, info: JsonValue | undefined): Joined => {
    const { user, clientId, connectionId } = identity
    const key = JSON.stringify(clientId === undefined ? [connectionId] : [user, clientId])
    const earlier = byKey.get(key)
    const isFull = earlier === undefined && byKey.size >= settings.maxMembers
    if (isFull && settings.overflow === 'refuse') {
      throw new RealtimeError('ROOM_FULL', { message: `Not joined: the room ${room} has ${settings.maxMembers} members (maxMembers).` })
    }
    if (earlier !== undefined && (earlier.identity.sequence ?? 0) > (identity.sequence ?? Infinity)) {
      throw new RealtimeError('CLOSED', { message: `Not joined: a later connection of this client is the member of ${room}.` })
    }
    if (earlier !== undefined) {
      clearTimeout(earlier.timer)
      byConnection.delete(earlier.identity.connectionId)
    }
    const { id = memberIdOf(room, identity), isListed = !isFull } = earlier ?? {}
    const member: MemoryMember = { id, key, identity, isListed, info }
    const isFirst = byKey.size === 0
    byKey.set(key, member)
    byConnection.set(connectionId, member)
    show([member])
    if (isFirst) onOpen()
    return { id, isListed }
  }

  return {
    room,
    observe: (listener = {}) => replica.observe(listener),
    join: async (identity, info) => join(identity, info),
    update: async (connectionId, info) => {
      const member = byConnection.get(connectionId)
      if (member === undefined) return
      member.info = info
      show([member])
    },
    leave: async (connectionId) => {
      const member = byConnection.get(connectionId)
      if (member !== undefined) remove(member)
    },
    disconnect: (connectionId) => {
      const member = byConnection.get(connectionId)
      if (member === undefined) return
      if (member.identity.clientId === undefined) return remove(member)
      member.timer ??= setTimeout(() => remove(member), settings.graceMs)
    },
    publishCursors: (cursors) => replica.moveCursors(cursors),
    close: () => {
      for (const { timer } of byKey.values()) clearTimeout(timer)
      replica.close()
    },
  }
}
