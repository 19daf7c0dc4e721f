import { RealtimeError, type JsonValue } from '@tutti/protocol'
import { createKeyedMutex } from '@tutti/protocol/internal'
import type { Joined, MemberIdentity } from '../contract.ts'
import { memberIdOf } from '../members/member-id.ts'
import { infoText } from '../members/member-info.ts'
import type { MemberRecord } from './member-record.ts'
import { isUnapplied } from './redis-failure.ts'
import type { RoomSnapshot, RoomStore, WriteOutcome } from './room-store.ts'

interface OwnMember {
  readonly name: string
  readonly connection: string
  readonly user: string
  /** Whether it can reconnect as the same member. */
  readonly isStable: boolean
  readonly sequence: number | undefined
  /** `ended`: it left or was superseded, and is not written again. */
  state: 'open' | 'grace' | 'ended'
  id: string
  number: number
  /** The version of the room at the first write of this connection. */
  since: number
  infoJson: string
  isListed: boolean
  timer: NodeJS.Timeout | undefined
  /** The same client's connection before this one, until this one is written. */
  earlier: OwnMember | undefined
}

/** The members of one room that are connected to this instance, or were until a moment ago. */
export interface OwnMembers {
  /** Members, and removals in flight. */
  readonly size: number
  /** Whether the id is that of a member here. */
  has(id: string): boolean
  join(identity: MemberIdentity, info: JsonValue | undefined): Promise<Joined & { version: number }>
  update(connectionId: string, info: JsonValue | undefined): Promise<void>
  leave(connectionId: string): Promise<void>
  disconnect(connectionId: string): void
  /**
   * A member with this id ended in this version of the room: it was continued on another instance, if it was a member here. The end of
   * an earlier membership of the client changes nothing.
   */
  leftElsewhere(id: string, version: number): void
  /** These members are listed. */
  listed(ids: readonly string[]): void
  /** Writes members that the room should have, and removes those that it should not have. */
  reconcile(snapshot: RoomSnapshot): Promise<void>
  close(): void
}

/** What they need. */
export interface OwnMembersOptions {
  room: string
  instanceId: string
  graceMs: number
  maxMembers: number
  store: RoomStore
  /** The current lease. */
  lease: () => string
  /** The first member of the room joined; the last one left. */
  onOpen: () => void
  onEmpty: () => void
  /** The store may differ from what is wanted here: a request failed. */
  onDoubt: (error: unknown) => void
  /** A member is gone from here. */
  onGone: () => void
}

const ignore = (): void => {}

/** Makes an empty set. */
export function createOwnMembers(options: OwnMembersOptions): OwnMembers {
  const { room, instanceId, graceMs, maxMembers, store, lease, onOpen, onEmpty, onDoubt, onGone } = options
  const byConnection = new Map<string, OwnMember>()
  const byName = new Map<string, OwnMember>()
  const byId = new Map<string, OwnMember>()
  /** Requests for one member are sent one after another, also those of different connections. */
  const mutex = createKeyedMutex()
  let removals = 0

  /** The connection is no member here any more. */
  const end = (member: OwnMember): void => {
    if (member.state === 'ended') return
    clearTimeout(member.timer)
    member.state = 'ended'
    byConnection.delete(member.connection)
    if (byName.get(member.name) === member) {
      if (member.earlier === undefined || member.earlier.state === 'ended') byName.delete(member.name)
      else byName.set(member.name, member.earlier)
    }
    if (byId.get(member.id) === member) byId.delete(member.id)
    onGone()
  }
  /** Writes the member as it is at that moment. */
  const write = async (member: OwnMember): Promise<WriteOutcome> => {
    if (member.state === 'ended') return { verdict: 'superseded' }
    const outcome = await store.write(member)
    if (outcome.verdict !== 'ok') {
      end(member)
      return outcome
    }
    if (member.number === 0) member.since = outcome.version
    ;({ id: member.id, number: member.number, isListed: member.isListed } = outcome)
    if (member.earlier !== undefined) end(member.earlier)
    member.earlier = undefined
    if (byConnection.get(member.connection) === member) byId.set(member.id, member)
    if (outcome.isFirst) onOpen()
    return outcome
  }
  const removeStored = async (members: readonly Pick<OwnMember, 'name' | 'connection'>[]): Promise<void> => {
    const { removed, remaining } = await store.remove(members)
    if (removed > 0 && remaining === 0) onEmpty()
  }
  const remove = async (member: OwnMember): Promise<void> => {
    removals += 1
    end(member)
    try {
      await mutex.run(member.name, () => removeStored([member]))
    } catch (error) {
      // What is stored for a connection that is no member here is removed with the next read.
      onDoubt(error)
      throw error
    } finally {
      removals -= 1
      onGone()
    }
  }

  const create = (identity: MemberIdentity): OwnMember => {
    const { user, clientId, connectionId, sequence } = identity
    const connection = encodeURIComponent(connectionId)
    const name = clientId === undefined ? connection : `${encodeURIComponent(user)}:${encodeURIComponent(clientId)}`
    const member: OwnMember = {
      ...{ name, connection, user, sequence, isStable: clientId !== undefined, state: 'open', number: 0 },
      ...{ id: memberIdOf(room, identity), since: 0, infoJson: '', isListed: true, timer: undefined, earlier: byName.get(name) },
    }
    byConnection.set(connection, member)
    byName.set(name, member)
    return member
  }
  const find = (connectionId: string): OwnMember | undefined => byConnection.get(encodeURIComponent(connectionId))

  /** The member leaves after a time, unless its client joins again. */
  const lapse = (member: OwnMember): void => {
    if (member.state !== 'open') return
    const leave = (): void => void remove(member).catch(ignore)
    if (!member.isStable) return leave()
    member.state = 'grace'
    member.timer = setTimeout(leave, graceMs)
  }
  /** Writes the member with another info, which is not kept where it was not stored for certain. */
  const writeInfo = async (member: OwnMember, info: JsonValue | undefined): Promise<WriteOutcome> => {
    const [earlier, infoJson] = [member.infoJson, infoText(info)]
    member.infoJson = infoJson
    try {
      return await mutex.run(member.name, () => write(member))
    } catch (error) {
      if (member.infoJson === infoJson && isUnapplied(error)) member.infoJson = earlier
      if (member.number === 0 && isUnapplied(error)) end(member)
      else if (member.number === 0) lapse(member)
      onDoubt(error)
      throw error
    }
  }

  const isOwn = (owner: string): boolean => owner.slice(0, owner.lastIndexOf('.')) === instanceId
  /** Whether the record of a member here must be written again. The script refuses it if a later connection has continued the member. */
  const isOutdated = (member: OwnMember, record: MemberRecord | undefined): boolean => {
    if (member.number === 0) return false
    // In its grace it may have been continued elsewhere, and have left there.
    if (record === undefined) return member.state === 'open'
    return record.connection !== member.connection || record.lease !== lease() || record.infoJson !== member.infoJson
  }

  return {
    get size() {
      return byConnection.size + removals
    },
    has: (id) => byId.has(id),
    join: async (identity, info) => {
      const member = find(identity.connectionId) ?? create(identity)
      clearTimeout(member.timer)
      member.state = 'open'
      const outcome = await writeInfo(member, info)
      switch (outcome.verdict) {
        case 'ok':
          return { id: outcome.id, isListed: outcome.isListed, version: outcome.version }
        case 'superseded':
          // Retryable: a connection that is still in use takes the member over with its next join.
          throw new RealtimeError('CLOSED', {
            message: `The membership in ${room} was ended, or continued by another connection, during the request. Join again.`,
            retryable: true,
          })
        case 'full':
          throw new RealtimeError('ROOM_FULL', { message: `Not joined: the room ${room} has ${maxMembers} members (maxMembers).` })
      }
    },
    update: async (connectionId, info) => {
      const member = find(connectionId)
      if (member !== undefined) await writeInfo(member, info)
    },
    leave: async (connectionId) => {
      const member = find(connectionId)
      if (member !== undefined) await remove(member)
    },
    disconnect: (connectionId) => {
      const member = find(connectionId)
      if (member !== undefined) lapse(member)
    },
    leftElsewhere: (id, version) => {
      const member = byId.get(id)
      if (member !== undefined && version > member.since) end(member)
    },
    listed: (ids) => {
      for (const id of ids) {
        const member = byId.get(id)
        if (member !== undefined) member.isListed = true
      }
    },
    reconcile: async ({ records }) => {
      const stored = new Map(records.map((record) => [record.name, record]))
      const outdated = [...byConnection.values()].filter((member) => isOutdated(member, stored.get(member.name)))
      const left = records.filter((record) => isOwn(record.lease) && !byConnection.has(record.connection))
      await Promise.all([
        ...outdated.map((member) => mutex.run(member.name, () => write(member))),
        ...(left.length > 0 ? [removeStored(left)] : []),
      ])
    },
    close: () => {
      for (const { timer } of byConnection.values()) clearTimeout(timer)
      byConnection.clear()
      byName.clear()
      byId.clear()
    },
  }
}
