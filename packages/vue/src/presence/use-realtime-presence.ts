import { byUser, type PresenceMember, type PresenceSnapshot, type PresentUser } from '@tutti/client/presence'
import type { JsonValue } from '@tutti/protocol'
import { anything, flag, parseOptions, type OptionRows } from '@tutti/protocol/internal'
import { computed, toValue, watch, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import type { RegisteredInfo, Unregistered } from '../realtime-register.ts'
import { followPresence } from './follow-presence.ts'

/** How a room is used. */
export interface UseRealtimePresenceOptions<Info> {
  /**
   * Joins the room with this info: any JSON. A changed info is sent; `undefined` leaves the room. Without it, the room is observed,
   * until `join()`.
   */
  info?: MaybeRefOrGetter<Info | undefined> | undefined
  /** Receive the number of members only: for rooms with very many members. @default false */
  count?: boolean | undefined
}

const OPTIONS = { info: anything, count: flag(false) } satisfies OptionRows<UseRealtimePresenceOptions<unknown>>

/** The presence of a room in a component. */
export interface UseRealtimePresenceReturn<Info> {
  /** In the order in which they joined, the own member marked by `isMe`. Empty with `count: true`. */
  readonly members: ComputedRef<readonly PresenceMember<Info>[]>
  /** The members of each user as one. */
  readonly users: ComputedRef<readonly PresentUser<Info>[]>
  /** The number of members. */
  readonly count: ComputedRef<number>
  /** The server has not yet replied; true in a page that is rendered on a server. */
  readonly loading: ComputedRef<boolean>
  /** This client is a member. */
  readonly joined: ComputedRef<boolean>
  /** Why the room cannot be joined or observed. */
  readonly error: ComputedRef<Error | undefined>
  /** Makes this client a member of the current room. */
  join(info?: Info): void
  update(info: Info): void
  leave(): void
}

const LOADING: PresenceSnapshot<never> = { members: [], count: 0, loading: true, joined: false, error: undefined }

/**
 * The members of a room, and this client as one of them if `info` is given. The schema of `RealtimeRegister` types `info`. A changed
 * room is followed. Ends with its scope.
 *
 * @throws {RealtimeError} `INVALID_ROOM`, `INVALID_VALUE`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const { users } = useRealtimePresence(() => `doc:${id}`, { info: () => ({ name: name.value }) })
 */
export function useRealtimePresence<Info = JsonValue, Room extends string = string>(
  room: MaybeRefOrGetter<Room> & Unregistered<RegisteredInfo<Room>>,
  options?: UseRealtimePresenceOptions<Info>,
): UseRealtimePresenceReturn<Info>
export function useRealtimePresence<Room extends string>(
  room: MaybeRefOrGetter<Room>,
  options?: UseRealtimePresenceOptions<RegisteredInfo<Room>>,
): UseRealtimePresenceReturn<RegisteredInfo<Room>>
export function useRealtimePresence(
  room: MaybeRefOrGetter<string>,
  options: UseRealtimePresenceOptions<unknown> = {},
): UseRealtimePresenceReturn<unknown> {
  parseOptions('useRealtimePresence', OPTIONS, options)
  const info = (): unknown => toValue(options.info)
  const { shown, handle } = followPresence<unknown, JsonValue, PresenceSnapshot<unknown>>({
    room,
    options: () => ({ info: info(), count: options.count }),
    select: (presence) => presence,
    rendered: LOADING,
  })
  watch(
    info,
    (value) => {
      if (value === undefined) handle().leave()
      else handle().join(value)
    },
    { deep: true },
  )
  return {
    members: computed(() => shown.value.members),
    users: computed(() => byUser(shown.value.members)),
    count: computed(() => shown.value.count),
    loading: computed(() => shown.value.loading),
    joined: computed(() => shown.value.joined),
    error: computed(() => shown.value.error),
    join: (value) => handle().join(value),
    update: (value) => handle().update(value),
    leave: () => handle().leave(),
  }
}
