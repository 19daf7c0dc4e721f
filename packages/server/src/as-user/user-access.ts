import { RealtimeError } from '@tutti/protocol'
import { parseOptions, text, type OptionRows } from '@tutti/protocol/internal'
import { checkUser, expired } from '../authentication/authenticate.ts'
import type { ConnectionAccess } from '../authorization/access-control.ts'
import type { User } from '../authorization/authorize.ts'
import { createUserEvents } from '../events/user-events.ts'
import type { EventsFeature } from '../events/events-feature.ts'
import type { ServerEvents } from '../events/server-events.ts'
import type { Core } from '../feature.ts'
import type { Rooms } from '../connection/rooms.ts'
import type { Counts } from '../realtime-counts.ts'
import type { ServerState } from '../state/server-state.ts'
import type { StateFeature } from '../state/state-feature.ts'
import { createUserState } from '../state/user-state.ts'
import { createUserLink, type UserLinkContext, type UserSubscription } from './user-link.ts'

/** State and events with the rights of one user: `realtime.as(user)`. */
export interface UserRealtime {
  readonly state: ServerState
  readonly events: ServerEvents
}

/** The user that server code acts as. */
export interface ActAsOptions {
  /**
   * The address of the user's client, for audit records.
   *
   * @default ''
   */
  readonly address?: string | undefined
}

const OPTIONS = { address: text('') } satisfies OptionRows<ActAsOptions>

/** Server code that acts as users. */
export interface UserAccess<U extends User> {
  as(user: U | null, options?: ActAsOptions): UserRealtime
  /** From now on everything is refused with `CLOSED`, and what runs ends with it. */
  close(): void
}

/** What acting as a user needs. */
export interface UserAccessOptions<U extends User> {
  readonly core: Core
  readonly entrances: ConnectionAccess<U>
  readonly rooms: Rooms
  readonly counts: Counts
  /** Whether the server has an `authenticate`. Then a client without a user does not exist. */
  readonly namesUsers: boolean
  readonly state: StateFeature
  readonly events: EventsFeature
}

/** Makes `realtime.as` of one server. */
export function createUserAccess<U extends User>(options: UserAccessOptions<U>): UserAccess<U> {
  const { core, entrances, rooms, counts, namesUsers, state, events } = options
  const running = new Set<UserSubscription>()
  let closed = false

  const refusal = (user: U | null): RealtimeError | undefined => {
    if (closed) return new RealtimeError('CLOSED', { message: 'The realtime server is closed.' })
    if (user === null) return namesUsers ? signIn() : undefined
    return user.expiresAt !== undefined && user.expiresAt <= Date.now() ? expired() : undefined
  }
  const context: UserLinkContext<U> = { core, entrances, rooms, counts, features: [state.feature, events.feature], running, refusal }

  return {
    as: (user, options = {}) => {
      const { address } = parseOptions('realtime.as', OPTIONS, options)
      const link = createUserLink(context, known(user), address)
      return {
        state: createUserState(link, state.handlers, core.limits.maxKeysPerMessage, core.onError),
        events: createUserEvents(link, events.handlers, core.onError),
      }
    },
    close: () => {
      closed = true
      for (const subscription of running) subscription.end(new RealtimeError('CLOSED', { message: 'The realtime server is closed.' }))
    },
  }
}

/** The user, checked like one that `authenticate` returns. One that has expired is one: each of its requests is refused. */
function known<U extends User>(user: U | null): U | null {
  if (user === null) return null
  try {
    return checkUser(user, -Infinity)
  } catch (cause) {
    throw new RealtimeError('INVALID_OPTIONS', {
      message: 'realtime.as() requires a user with an `id`, as returned by `authenticate`, or null.',
      cause,
    })
  }
}

const signIn = (): RealtimeError =>
  new RealtimeError('UNAUTHENTICATED', {
    message: 'Not authenticated: realtime.as(null) has no access on a server with `authenticate`.',
  })
