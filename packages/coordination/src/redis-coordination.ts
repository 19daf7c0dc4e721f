import { RealtimeError } from '@tutti/protocol'
import { parseOptions, required, safeErrorListener, text, TOMBSTONE_MS, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { Coordination } from './contract.ts'
import { COORDINATION_OPTIONS, type RedisCoordinationOptions } from './coordination-options.ts'
import { createRoomEvents } from './members/room-events.ts'
import { createRoomRegistry } from './members/room-registry.ts'
import { createClockBounds } from './redis/clock-bounds.ts'
import { createInstanceLease } from './redis/instance-lease.ts'
import { createLeaseHolds } from './redis/lease-holds.ts'
import { createLeaseSweeper } from './redis/lease-sweeper.ts'
import { createRedisHandover } from './redis/redis-handover.ts'
import { redisLayout } from './redis/redis-layout.ts'
import { isAway } from './redis/redis-failure.ts'
import { createRedisLocks } from './redis/locks/redis-locks.ts'
import { createRedisCommands } from './redis/redis-commands.ts'
import { createRedisRoom } from './redis/redis-room.ts'
import { createCoordinationScripts, createRoomStore, type RoomStore } from './redis/room-store.ts'

const OPTIONS = {
  ...COORDINATION_OPTIONS,
  instanceId: required(text(undefined)),
  heartbeatMs: wholeNumber(1, 1_000),
  leaseMs: wholeNumber(1, 4_000),
  tombstoneMs: wholeNumber(1, TOMBSTONE_MS, Number.MAX_SAFE_INTEGER),
  base: text(undefined),
} satisfies OptionRows<RedisCoordinationOptions>

/**
 * Leases, presence and locks of the instances that share a Redis. An instance costs one script per `heartbeatMs`.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * const coordination = createRedisCoordination(pubsub.link, { instanceId: pubsub.instanceId })
 */
export function createRedisCoordination(link: RedisLink, options: RedisCoordinationOptions): Coordination {
  const parsed = parseOptions('createRedisCoordination', OPTIONS, options)
  if (parsed.leaseMs < 3 * parsed.heartbeatMs) {
    throw new RealtimeError('INVALID_OPTIONS', {
      message: `createRedisCoordination: \`leaseMs\` (${parsed.leaseMs}) must be at least three times \`heartbeatMs\` (${parsed.heartbeatMs}).`,
    })
  }
  const settings = { ...parsed, onError: safeErrorListener(parsed.onError) }
  const { onError } = settings
  const instanceId = encodeURIComponent(settings.instanceId)
  const layout = redisLayout(link, settings.base)
  const { onRoomOpen, onRoomEmpty, ...events } = createRoomEvents(onError)
  const scripts = createCoordinationScripts(link, settings)

  const clock = createClockBounds(() => link.now())
  const commands = createRedisCommands({ link, layout, instanceId, clock, onError })

  const lease = createInstanceLease({
    ...{ link, layout, instanceId, times: settings, onError, mayBegin: commands.ready, clock },
    onBeat: () => {
      for (const room of rooms.open.values()) if (room.isDoubtful) void room.resync()
      locks.onBeat()
    },
    onClaim: (leases) => sweeper.sweep(leases),
  })
  const holds = createLeaseHolds({ link, layout, lease, script: scripts.hold, onError })
  const work = createRedisHandover({ lease, holds, onError })
  const storeOf = (room: string): RoomStore => createRoomStore({ room, instanceId, layout, lease, holds, scripts })
  const sweeper = createLeaseSweeper({
    link,
    layout,
    onEmpty: events.emitEmpty,
    onError,
    sweepRoom: (room, dead) => storeOf(room).sweep(dead),
    sweepLock: (key, dead) => locks.sweep(key, dead),
    takeWork: (names) => work.take(names),
  })
  const locks = createRedisLocks({ link, instanceId, settings, layout, lease, holds })
  const rooms = createRoomRegistry((room, onUnused) =>
    createRedisRoom({
      ...{ room, link, instanceId, settings, layout, lease, holds, store: storeOf(room), onUnused },
      ...{ onOpen: () => events.emitOpen(room), onEmpty: () => events.emitEmpty(room) },
    }),
  )
  const resync = (): void => {
    for (const room of rooms.open.values()) void room.resync()
    void locks.resync()
  }
  const stops = [
    lease.onLost(resync),
    // First the lease: what Redis has lost must be written under one that is registered.
    link.onGap(() => void lease.renew().then(resync, resync)),
  ]

  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    for (const stop of stops) stop()
    commands.close()
    rooms.close()
    events.close()
    work.close()
    // What connections have left behind is sent before the lease ends.
    if (link.status === 'ready') await locks.idle()
    locks.close()
    try {
      const last = await lease.close()
      await sweeper.idle()
      await sweeper.expire(last, settings.graceMs + settings.leaseMs)
    } catch (error) {
      if (!isAway(error)) onError(error, { stage: 'heartbeat' })
    }
  }
  return {
    instance: lease,
    commands,
    members: (room) => rooms.members(room),
    locks,
    handover: work.handover,
    onRoomOpen,
    onRoomEmpty,
    close: () => (closing ??= close()),
  }
}
