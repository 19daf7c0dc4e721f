import { parseOptions, safeErrorListener } from '@tutti/protocol/internal'
import { randomUUID } from 'node:crypto'
import type { Coordination } from './contract.ts'
import { COORDINATION_OPTIONS, type CoordinationOptions } from './coordination-options.ts'
import { createRoomEvents } from './members/room-events.ts'
import { createRoomRegistry } from './members/room-registry.ts'
import { createMemoryLocks } from './memory/memory-locks.ts'
import { createMemoryCommands } from './memory/memory-commands.ts'
import { createMemoryRoom } from './memory/memory-room.ts'

/** Options of `createMemoryCoordination`. */
export type MemoryCoordinationOptions = CoordinationOptions

/**
 * Leases, presence and locks of one process, without Redis: its lease lasts until `close`, which ends all members.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * const coordination = createMemoryCoordination({ graceMs: 10_000 })
 */
export function createMemoryCoordination(options: MemoryCoordinationOptions = {}): Coordination {
  const parsed = parseOptions('createMemoryCoordination', COORDINATION_OPTIONS, options)
  const settings = { ...parsed, onError: safeErrorListener(parsed.onError) }
  const instanceId = randomUUID()
  const id = `${instanceId}.1`
  const commands = createMemoryCommands(instanceId, settings.onError)
  const { onRoomOpen, onRoomEmpty, ...events } = createRoomEvents(settings.onError)
  const rooms = createRoomRegistry((room, onUnused) =>
    createMemoryRoom({ room, settings, onUnused, onOpen: () => events.emitOpen(room), onEmpty: () => events.emitEmpty(room) }),
  )
  const locks = createMemoryLocks(settings)
  let isClosed = false

  return {
    instance: {
      id,
      get state() {
        return isClosed ? 'closed' : 'live'
      },
      get live() {
        return new Set(isClosed ? [] : [id])
      },
      ready: Promise.resolve(),
      onLost: () => () => {},
    },
    commands,
    members: (room) => rooms.members(room),
    locks,
    // No other instance continues it.
    handover: { begin: async () => {}, end: () => {}, onTaken: () => () => {} },
    onRoomOpen,
    onRoomEmpty,
    close: async () => {
      isClosed = true
      commands.close()
      rooms.close()
      locks.close()
      events.close()
    },
  }
}
