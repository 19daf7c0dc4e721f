import type { MergePatch } from '@tutti/client'
import type { AbsentEntry, JsonObject, JsonValue, PresentEntry } from '@tutti/protocol'
import type { ServerEvents, ServerPublishOptions, ServerState, User, UserRealtime } from '@tutti/server'
import type { AttachedRealtimeServer } from '@tutti/server/nitro2'
import type { RegisteredEvent, RegisteredValue } from '@tutti/vue'

/** Any JSON where no schema matches. */
type OrJson<Value, Json = JsonValue> = unknown extends Value ? Json : Value

/** The entry of a key, with the type of its value. */
export type RegisteredEntry<Key extends string> = AbsentEntry | (Omit<PresentEntry, 'value'> & { value: OrJson<RegisteredValue<Key>> })

/** The state, typed by `shared/realtime.ts`; see `ServerState` of `@tutti/server`. */
export interface RegisteredState extends Omit<ServerState, 'get' | 'read' | 'list' | 'set' | 'patch' | 'watch'> {
  get<Key extends string>(key: Key): Promise<RegisteredEntry<Key>>
  read<Key extends string>(keys: readonly Key[]): Promise<RegisteredEntry<Key>[]>
  list<Prefix extends string>(
    prefix: Prefix,
    after?: string,
  ): Promise<{ entries: RegisteredEntry<`${Prefix}${string}`>[]; after?: string | undefined }>
  set<Key extends string>(
    key: Key,
    value: OrJson<RegisteredValue<Key>>,
    options?: Parameters<ServerState['set']>[2],
  ): ReturnType<ServerState['set']>
  patch<Key extends string>(key: Key, patch: OrJson<MergePatch<RegisteredValue<Key>>, JsonObject>): ReturnType<ServerState['patch']>
  watch<Key extends string>(
    key: Key,
    listener: (entry: RegisteredEntry<Key>) => void,
    options?: Parameters<ServerState['watch']>[2],
  ): () => void
}

/** Events, typed by `shared/realtime.ts`; see `ServerEvents` of `@tutti/server`. */
export interface RegisteredEvents extends Omit<ServerEvents, 'publish'> {
  publish<Channel extends string>(channel: Channel, data: OrJson<RegisteredEvent<Channel>>, options?: ServerPublishOptions): Promise<void>
}

/** State and events with the rights of one user. */
export interface RegisteredUserRealtime extends Omit<UserRealtime, 'state' | 'events'> {
  readonly state: RegisteredState
  readonly events: RegisteredEvents
}

/** The realtime server of the application, with the types of `shared/realtime.ts`. */
export interface RegisteredRealtimeServer extends Omit<AttachedRealtimeServer, 'state' | 'events' | 'as'> {
  readonly state: RegisteredState
  readonly events: RegisteredEvents
  /** State and events with the rights of one user; see `as` of `@tutti/server`. Throws `INVALID_OPTIONS` for what is no user. */
  as(user: User | null, options?: Parameters<AttachedRealtimeServer['as']>[1]): RegisteredUserRealtime
}
