import type { Observable } from '@tutti/client'
import { presence, type Presence, type PresenceOptions } from '@tutti/client/presence'
import { onScopeDispose, shallowRef, toValue, watch, type MaybeRefOrGetter, type ShallowRef } from 'vue'
import { bridgeObservable } from '../bridge-observable.ts'
import { useRealtimeContext } from '../realtime-context.ts'

/** The presence of a room in a component, until its scope ends. */
export interface FollowedPresence<Info, Data, Shown> {
  readonly shown: Readonly<ShallowRef<Shown>>
  /** The handle on the current room. */
  handle(): Presence<Info, Data>
}

/** The followed room and its part. */
export interface FollowPresenceOptions<Info, Data, Shown> {
  room: MaybeRefOrGetter<string>
  /** Options of the handle on each room. */
  options: () => PresenceOptions<Info>
  select: (handle: Presence<Info, Data>) => Observable<Shown>
  /** Shown in a page that is rendered on a server. */
  rendered: Shown
}

/** Follows a part of a room's presence, also if the room changes. */
export function followPresence<Info, Data, Shown>(followed: FollowPresenceOptions<Info, Data, Shown>): FollowedPresence<Info, Data, Shown> {
  const { room, options, select, rendered } = followed
  const { client, onServer } = useRealtimeContext()
  const take = (): Presence<Info, Data> => presence<Info, Data>(client, toValue(room), options())
  let handle = take()
  // No scope ends on a server, and nothing is retained there.
  if (onServer) handle.dispose()
  const onChange = (): void => {
    shown.value = bridge.current
  }
  const bridge = bridgeObservable(select(handle), { onServer, rendered: () => rendered, onChange })
  const shown = shallowRef(bridge.current)
  const follow = (): void => {
    const before = handle
    handle = take()
    before.dispose()
    bridge.follow(select(handle))
  }
  watch(() => toValue(room), follow, { flush: 'sync' })
  onScopeDispose(() => handle.dispose(), true)
  return { shown, handle: () => handle }
}
