import { isAway } from './redis-failure.ts'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { Member } from '../contract.ts'
import type { CoordinationSettings } from '../coordination-options.ts'
import { memberOf } from '../members/member-info.ts'
import { createRoomReplica } from '../members/room-replica.ts'
import type { OpenRoom } from '../members/room-registry.ts'
import type { RedisLease } from './instance-lease.ts'
import type { LeaseHolds } from './lease-holds.ts'
import type { MemberRecord } from './member-record.ts'
import { createMissingMembers } from './missing-members.ts'
import { createOrphanSweep } from './orphan-sweep.ts'
import { createOwnMembers } from './own-members.ts'
import type { RedisLayout } from './redis-layout.ts'
import { createRoomFeed } from './room-feed.ts'
import { cursorsMessage, wantMessage } from './room-message.ts'
import type { RoomSnapshot, RoomStore } from './room-store.ts'

/** A room on Redis. */
export interface RedisRoom extends OpenRoom {
  /** Whether a request failed since the last read. */
  readonly isDoubtful: boolean
  /** Reads the room, and writes its own members where they differ. Never rejects: then the room is doubtful. */
  resync(): Promise<void>
}

/** What a room needs. */
export interface RedisRoomOptions {
  room: string
  link: RedisLink
  instanceId: string
  settings: CoordinationSettings & { leaseMs: number }
  layout: RedisLayout
  lease: RedisLease
  holds: LeaseHolds
  store: RoomStore
  onOpen: () => void
  onEmpty: () => void
  onUnused: () => void
}

/** Follows a room: its feed changes the replica, and its own members are written. */
export function createRedisRoom(options: RedisRoomOptions): RedisRoom {
  const { room, link, instanceId, settings, layout, lease, holds, store, onOpen, onEmpty, onUnused } = options
  const { leaseMs, graceMs } = settings
  const channel = layout.channel(room)
  let stored = 0
  let settledAt = 0
  let isDoubtful = false
  let isClosed = false
  const report = (error: unknown): void => {
    // The link reports a lost connection itself, and what follows from it is repeated.
    if (!isClosed && !isAway(error)) settings.onError(error, { stage: 'members', room })
  }
  const doubt = (error: unknown): void => {
    isDoubtful = true
    report(error)
  }
  const endIfUnused = (): void => {
    if (isClosed || own.size > 0 || isDoubtful) return
    holds.remove(`room ${room}`, () => own.size > 0)
    if (!replica.hasViews && pending === 0) onUnused()
  }
  let pending = 0
  const settlingMs = (): number => (link.status === 'ready' ? lease.settlingMs : leaseMs)

  const replica = createRoomReplica({
    onListenerError: (error) => settings.onError(error, { stage: 'listener', room }),
    settlingMs: () => Math.max(Math.ceil(settledAt - performance.now()), settlingMs()),
    onUnobserved: () => endIfUnused(),
  })
  const publish = (message: string): void => {
    link.publish(channel, message).catch(report)
  }
  const missing = createMissingMembers({
    ...{ leaseMs, settlingMs },
    onGone: (id) => replica.apply({ present: [], left: [id], count: stored + missing.size }),
  })
  const orphans = createOrphanSweep({ lease, leaseMs, sweep: store.sweep, onEmpty, onError: report })
  const own = createOwnMembers({
    ...{ room, instanceId, graceMs, maxMembers: settings.maxMembers, store },
    ...{ lease: () => lease.id, onOpen, onEmpty, onDoubt: doubt, onGone: () => endIfUnused() },
  })

  const show = (record: MemberRecord): Member => {
    const known = replica.members.get(record.id)
    if (known !== undefined && known.user === record.user && (known.infoJson ?? '') === record.infoJson) return known
    return memberOf(record.id, record.user, record.infoJson)
  }
  const apply = (present: readonly Member[], left: readonly string[], count: number): void => {
    for (const { id } of present) missing.delete(id)
    for (const id of left) missing.delete(id)
    own.listed(present.map(({ id }) => id))
    stored = count
    replica.apply({ present, left, count: stored + missing.size })
  }
  const showSnapshot = (snapshot: RoomSnapshot): void => {
    const present = snapshot.records.filter((record) => record.isListed).map(show)
    const ids = new Set(present.map(({ id }) => id))
    for (const id of replica.members.keys()) if (!ids.has(id)) missing.add(id)
    // A new room may be one that Redis has lost.
    settledAt = performance.now() + leaseMs - snapshot.ageMs
    apply(present, [], snapshot.count)
    replica.open()
    if (snapshot.records.some((record) => !own.has(record.id))) publish(wantMessage(instanceId))
    orphans.check(snapshot.leases)
    isDoubtful = false
    own.reconcile(snapshot).then(endIfUnused, doubt)
  }

  const feed = createRoomFeed<RoomSnapshot>({
    ...{ link, room, channel, instanceId, patienceMs: leaseMs, read: store.read, onError: settings.onError },
    onSnapshot: showSnapshot,
    onChange: ({ version, present, left, swept, count }) => {
      apply(present, left, count)
      for (const id of left) if (!swept.has(id)) own.leftElsewhere(id, version)
    },
    onCursors: (message) => {
      if (message.kind === 'cursors') return replica.moveCursors(message.cursors)
      const cursors = [...replica.cursors].filter(([id]) => own.has(id))
      if (cursors.length > 0) publish(cursorsMessage(instanceId, Object.fromEntries(cursors)))
    },
    onReadFailed: doubt,
  })
  feed.ready.catch((error: unknown) => {
    replica.close(error)
    if (!isClosed) onUnused()
  })

  /** Runs a call, during which the room is not closed. */
  const during = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    pending += 1
    try {
      return await work()
    } finally {
      pending -= 1
      endIfUnused()
    }
  }

  return {
    room,
    get isDoubtful() {
      return isDoubtful
    },
    resync: () => feed.resync().catch(doubt),
    observe: (listener = {}) => replica.observe(listener),
    join: (identity, info) =>
      during(async () => {
        await feed.ready
        const { version, ...joined } = await own.join(identity, info)
        await feed.reached(version)
        return joined
      }),
    update: (connectionId, info) => during(() => own.update(connectionId, info)),
    leave: (connectionId) => during(() => own.leave(connectionId)),
    disconnect: (connectionId) => own.disconnect(connectionId),
    publishCursors: (cursors) => {
      const moved = Object.fromEntries(Object.entries(cursors).filter(([id]) => own.has(id)))
      if (Object.keys(moved).length === 0) return
      replica.moveCursors(moved)
      publish(cursorsMessage(instanceId, moved))
    },
    close: (error) => {
      isClosed = true
      feed.close()
      own.close()
      missing.clear()
      orphans.clear()
      replica.close(error)
    },
  }
}
