import { RealtimeError } from '@tutti/protocol'
import { createListeners } from '@tutti/protocol/internal'
import type { Coordination } from '../contract.ts'
import type { CoordinationSettings } from '../coordination-options.ts'

/** The hooks of all rooms: the first member of one joined, or the last one left. */
export interface RoomEvents extends Pick<Coordination, 'onRoomOpen' | 'onRoomEmpty'> {
  emitOpen(room: string): void
  emitEmpty(room: string): void
  /** Removes all listeners. Adding one throws `CLOSED` from then on. */
  close(): void
}

/** Makes the hooks. */
export function createRoomEvents(onError: CoordinationSettings['onError']): RoomEvents {
  const create = () => createListeners<[room: string]>((error) => onError(error, { stage: 'listener' }))
  const [opened, emptied] = [create(), create()]
  let isClosed = false
  const assertOpen = (): void => {
    if (isClosed) throw new RealtimeError('CLOSED')
  }
  return {
    onRoomOpen: (listener) => {
      assertOpen()
      return opened.add(listener)
    },
    onRoomEmpty: (listener) => {
      assertOpen()
      return emptied.add(listener)
    },
    emitOpen: (room) => opened.emit(room),
    emitEmpty: (room) => emptied.emit(room),
    close: () => {
      isClosed = true
      opened.clear()
      emptied.clear()
    },
  }
}
