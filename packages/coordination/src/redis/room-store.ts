import { RealtimeError } from '@tutti/protocol'
import type { RedisLink, RedisScript, ScriptReply } from '@tutti/pubsub/redis'
import type { CoordinationSettings } from '../coordination-options.ts'
import type { RedisLease } from './instance-lease.ts'
import type { LeaseHolds } from './lease-holds.ts'
import { HOLD, MEMBER_FUNCTIONS, memberConstants, READ_MEMBERS, REMOVE_MEMBERS, SWEEP_MEMBERS, WRITE_MEMBER } from './member-scripts.ts'
import { parseMemberRecord, type MemberRecord } from './member-record.ts'
import { repeatable } from './redis-failure.ts'
import type { RedisLayout } from './redis-layout.ts'
import { scriptSetup } from './script-setup.ts'
import { partsOf, textsOf } from './script-reply.ts'

/** A script of the coordination. */
export type CoordinationScript = Pick<RedisScript, 'run'>

/** The scripts of the coordination, each loaded once. */
export interface CoordinationScripts {
  readonly hold: CoordinationScript
  readonly write: CoordinationScript
  readonly remove: CoordinationScript
  readonly sweep: CoordinationScript
  readonly read: CoordinationScript
}

/** Loads the scripts. On a Cluster the clocks of two nodes may differ by `slackMs`. */
export function createCoordinationScripts(
  link: RedisLink,
  settings: CoordinationSettings & { tombstoneMs: number; leaseMs: number; heartbeatMs: number },
): CoordinationScripts {
  const setup = `${scriptSetup(settings.leaseMs, link.isCluster ? settings.heartbeatMs : 0)}${memberConstants(settings)}`
  const script = (run: string): CoordinationScript => repeatable(link.script({ setup, functions: MEMBER_FUNCTIONS, run }))
  return {
    hold: repeatable(link.script({ setup, run: HOLD })),
    write: script(WRITE_MEMBER),
    remove: script(REMOVE_MEMBERS),
    sweep: script(SWEEP_MEMBERS),
    read: script(READ_MEMBERS),
  }
}

/** A member that is to be written. */
export interface MemberToWrite {
  readonly name: string
  readonly connection: string
  /** 0 where this connection was never written. */
  readonly number: number
  readonly id: string
  readonly user: string
  readonly infoJson: string
  readonly isListed: boolean
  readonly sequence: number | undefined
}

/** What a write made. */
export type WriteOutcome =
  | { verdict: 'ok'; version: number; id: string; number: number; isListed: boolean; isFirst: boolean }
  | { verdict: 'full' | 'superseded' }

/** Members of a room as they are stored. */
export interface RoomSnapshot {
  readonly version: number
  readonly count: number
  /** Leases of all members. */
  readonly leases: readonly string[]
  readonly records: readonly MemberRecord[]
  /** How long Redis has stored the room, milliseconds: at most the time since the last loss of data. */
  readonly ageMs: number
}

/** What removing members made. */
export interface Removal {
  readonly removed: number
  readonly remaining: number
}

/** Members of one room in Redis. */
export interface RoomStore {
  write(member: MemberToWrite): Promise<WriteOutcome>
  /** Removes those whose record still names the connection. */
  remove(members: readonly { readonly name: string; readonly connection: string }[]): Promise<Removal>
  /** Removes those that carry a lease that is dead. */
  sweep(lease: string): Promise<Removal>
  read(): Promise<RoomSnapshot>
}

/** What a store needs. */
export interface RoomStoreOptions {
  room: string
  instanceId: string
  layout: RedisLayout
  lease: RedisLease
  holds: LeaseHolds
  scripts: CoordinationScripts
}

/** Makes the requests of one room. */
export function createRoomStore({ room, instanceId, layout, lease, holds, scripts }: RoomStoreOptions): RoomStore {
  const keys = layout.room(room)
  const channel = layout.redisChannel(room)
  const removal = ([removed, , remaining]: readonly ScriptReply[]): Removal => ({ removed: Number(removed), remaining: Number(remaining) })

  const sweep = async (dead: string): Promise<Removal> => {
    let place = '0'
    let total = 0
    for (;;) {
      const reply = partsOf(await scripts.sweep.run(keys, [channel, dead, place]))
      const { removed, remaining } = removal(reply)
      total += removed
      place = String(reply[3])
      if (place === '0') return { removed: total, remaining }
    }
  }

  return {
    write: async ({ name, connection, number, id, user, infoJson, isListed, sequence = '' }) => {
      const reply = await lease.guard(async (own, expiry) => {
        const held = await holds.add(`room ${room}`, own, expiry)
        if (held[0] === 'late') return held
        const kind = isListed ? 'l' : 'c'
        const args = [channel, name, own, expiry, connection, number || '', id, encodeURIComponent(user), infoJson, kind, sequence]
        return textsOf(await scripts.write.run(keys, args))
      })
      const [verdict, version, newId = '', newNumber, kind, before] = reply
      switch (verdict) {
        case 'ok': {
          const isFirst = number === 0 && before === '0'
          return { verdict, version: Number(version), id: newId, number: Number(newNumber), isListed: kind === 'l', isFirst }
        }
        case 'full':
        case 'superseded':
          return { verdict }
        default:
          throw new RealtimeError('INTERNAL', { message: 'Redis sent an unexpected reply of a script.' })
      }
    },
    remove: async (members) =>
      removal(partsOf(await scripts.remove.run(keys, [channel, ...members.flatMap(({ name, connection }) => [name, connection])]))),
    sweep,
    read: async () => {
      const [version, count, leases, texts, ageMs] = partsOf(await scripts.read.run(keys, [instanceId]))
      const flat = textsOf(texts)
      const records: MemberRecord[] = []
      for (let place = 0; place < flat.length; place += 2) {
        const record = parseMemberRecord(flat[place] ?? '', flat[place + 1] ?? '')
        if (record !== undefined) records.push(record)
      }
      records.sort((a, b) => a.number - b.number)
      return { version: Number(version), count: Number(count), leases: textsOf(leases), records, ageMs: Number(ageMs) }
    },
  }
}
