import type { PresenceCursor } from '@tutti/client/presence'
import type { JsonValue } from '@tutti/protocol'
import { parseOptions, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import { computed, onScopeDispose, shallowRef, watch, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import { useRealtimeContext } from '../realtime-context.ts'
import { followPresence } from './follow-presence.ts'

/** Options of `useRealtimeCursors`. */
export interface UseRealtimeCursorsOptions {
  /** How long after its last move a cursor is `idle`, milliseconds. @default 5000 */
  idleMs?: number | undefined
}

const OPTIONS = { idleMs: wholeNumber(1, 5_000) } satisfies OptionRows<UseRealtimeCursorsOptions>

/** The cursor of another member. */
export interface RealtimeCursor<Data, Info> extends PresenceCursor<Info, Data> {
  /** It has not moved for `idleMs`: can be shown faded. */
  readonly idle: boolean
}

/** The cursors of a room in a component. */
export interface UseRealtimeCursorsReturn<Data, Info> {
  /** The newest cursor of each other member. */
  readonly cursors: ComputedRef<readonly RealtimeCursor<Data, Info>[]>
  /** Shows the own cursor to the others while this client is a member (`useRealtimePresence` with `info`); null removes it. */
  set(data: Data | null): void
}

/**
 * The cursors of the other members of a room. A changed room is followed. Ends with its scope.
 *
 * @throws {RealtimeError} `INVALID_ROOM`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const { cursors, set } = useRealtimeCursors<{ x: number; y: number }>('doc:1')
 */
export function useRealtimeCursors<Data = JsonValue, Info = JsonValue>(
  room: MaybeRefOrGetter<string>,
  options: UseRealtimeCursorsOptions = {},
): UseRealtimeCursorsReturn<Data, Info> {
  const { idleMs } = parseOptions('useRealtimeCursors', OPTIONS, options)
  const { clock } = useRealtimeContext().client.internals
  const now = shallowRef(clock.now())
  let cancel = (): void => {}

  /** Runs at the next time at which a cursor becomes idle. */
  const scheduleIdle = (cursors: readonly PresenceCursor<Info, Data>[]): void => {
    cancel()
    now.value = clock.now()
    const waits = cursors.map(({ movedAt }) => movedAt + idleMs - now.value).filter((wait) => wait > 0)
    cancel = waits.length > 0 ? clock.after(Math.min(...waits), () => scheduleIdle(cursors)) : () => {}
  }
  const { shown, handle } = followPresence<Info, Data, readonly PresenceCursor<Info, Data>[]>({
    room,
    options: () => ({}),
    select: ({ cursors }) => cursors,
    rendered: [],
  })
  watch(shown, scheduleIdle, { flush: 'sync', immediate: true })
  onScopeDispose(() => cancel(), true)
  return {
    cursors: computed(() => shown.value.map((cursor) => ({ ...cursor, idle: cursor.movedAt + idleMs <= now.value }))),
    set: (data) => handle().cursors.set(data),
  }
}
