import type { MessageContext } from '@tutti/client/messages'
import { room, type Room, type RoomSnapshot } from '@tutti/client/room'
import type { JsonValue } from '@tutti/protocol'
import { computed, onScopeDispose, shallowRef, toValue, watch, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import { bridgeObservable } from '../bridge-observable.ts'
import { useRealtimeContext } from '../realtime-context.ts'
import { createScopedSubscriptions } from '../scoped-subscriptions.ts'

/** A room in a component, which is in it until its scope ends. */
export interface UseRealtimeRoomReturn {
  /** Messages to the room are received. */
  readonly joined: ComputedRef<boolean>
  /** The room is not joined yet, or again after a reconnect; true in a page that is rendered on a server. */
  readonly loading: ComputedRef<boolean>
  /** Why the room cannot be joined. */
  readonly error: ComputedRef<Error | undefined>
  /**
   * The full name of a key, channel or prefix (`todos:`) of the room. In a getter it follows a changed room:
   * `useRealtimeState(() => key('title'))`.
   *
   * @throws {RealtimeError} `INVALID_KEY`.
   */
  key(name: string): string
  /**
   * Receives messages of server code to this room alone, by name (`saved`) or pattern of names (`chat:*`, `*`), until the scope
   * ends; a changed name is followed. Returns an unsubscribe function.
   *
   * @throws {RealtimeError} `INVALID_VALUE` for an invalid name, `CLOSED`.
   */
  subscribe<Data = JsonValue>(name: MaybeRefOrGetter<string>, listener: (data: Data, context: MessageContext) => void): () => void
}

const OUT: RoomSnapshot = { joined: false, error: undefined }

/**
 * Joins a room, also after reconnects. A changed room is followed. Ends with its scope.
 *
 * @throws {RealtimeError} `INVALID_ROOM`, also for a name of more than 128 bytes; `CLOSED`.
 *
 * @example
 * const { key, subscribe } = useRealtimeRoom(() => `proj:${id.value}`)
 * const title = useRealtimeState(() => key('title'), '')
 * subscribe<{ by: string }>('saved', ({ by }) => show(by))
 */
export function useRealtimeRoom(name: MaybeRefOrGetter<string>): UseRealtimeRoomReturn {
  const { client, onServer } = useRealtimeContext()
  const join = (): Room => {
    const joined = room(client, toValue(name))
    // No scope ends on a server, and nothing is retained there.
    if (onServer) joined.dispose()
    else joined.join()
    return joined
  }
  const handle = shallowRef(join())
  const bridge = bridgeObservable<RoomSnapshot>(handle.value, {
    onServer,
    rendered: () => OUT,
    onChange: () => {
      shown.value = bridge.current
    },
  })
  const shown = shallowRef(bridge.current)
  const follow = createScopedSubscriptions(onServer)
  watch(
    () => toValue(name),
    () => {
      const before = handle.value
      // Its subscriptions to messages follow it at once.
      handle.value = join()
      before.dispose()
      bridge.follow(handle.value)
    },
    { flush: 'sync' },
  )
  onScopeDispose(() => handle.value.dispose(), true)
  return {
    joined: computed(() => shown.value.joined),
    loading: computed(() => !shown.value.joined && !shown.value.error),
    error: computed(() => shown.value.error),
    key: (within) => handle.value.key(within),
    subscribe: (message, listener) =>
      follow(
        () => ({ room: handle.value, pattern: toValue(message) }),
        ({ room: joined, pattern }) => joined.messages.subscribe(pattern, listener),
      ),
  }
}
