import { fromWireError, RealtimeError, type Reply, type RequestName, type Requests } from '@tutti/protocol'
import { callSafely } from '@tutti/protocol/internal'
import { expired } from '../authentication/authenticate.ts'
import type { ConnectionAccess } from '../authorization/access-control.ts'
import type { User } from '../authorization/authorize.ts'
import { runAt } from '../authorization/schedule-at.ts'
import { runRequest } from '../connection/run-request.ts'
import type { Connection } from '../connection/connection.ts'
import type { Core, Feature } from '../feature.ts'
import type { Handler } from '../connection/handler.ts'
import type { Rooms } from '../connection/rooms.ts'
import type { Counts } from '../realtime-counts.ts'
import { createLocalConnection, type LocalConnection, type NoticeListeners } from './local-connection.ts'

/** The result of a request. */
type Result<Name extends RequestName> = Requests[Name]['result']

/** One running subscription of server code that acts as a user. */
export interface UserSubscription {
  /** It has not ended. */
  readonly isOpen: boolean
  /** Sends a message on its connection; rejects with the refusal. */
  send<Name extends RequestName>(handler: Handler<Name>, message: unknown): Promise<Result<Name>>
  /** Ends it, as the server does: `onEnd` runs. */
  end(error: unknown): void
  /** Ends it, as the caller does. */
  close(): void
}

/** The messages of server code that acts as one user: they meet what those of the user's own client would meet. */
export interface UserLink {
  /** Sends a message; rejects with the refusal. */
  send<Name extends RequestName>(handler: Handler<Name>, message: unknown): Promise<Result<Name>>
  /** Opens a subscription. `onEnd` runs once when the server ends it, also before `subscribe` returns. */
  subscribe(listeners: NoticeListeners, onEnd: (error: RealtimeError) => void): UserSubscription
}

/** What all links of one server share. */
export interface UserLinkContext<U extends User> {
  readonly core: Core
  readonly entrances: ConnectionAccess<U>
  readonly rooms: Rooms
  readonly counts: Counts
  /** Those that keep something of a connection. */
  readonly features: readonly Feature[]
  /** Ends what runs when the server closes. */
  readonly running: Set<UserSubscription>
  /** Why nothing can be sent: the server has closed, say. */
  refusal(user: U | null): RealtimeError | undefined
}

/** Reading requests: what they return is withheld once the sign-in has ended. */
const READS: ReadonlySet<RequestName> = new Set<RequestName>(['storage:get', 'storage:subscribe'])

/** Makes the link of one user. */
export function createUserLink<U extends User>(context: UserLinkContext<U>, user: U | null, address: string): UserLink {
  const { core, entrances, rooms, counts, features, running } = context
  const { maxSubscriptions } = core.limits
  // Read once: an object of the application may change.
  const id = user?.id ?? ''
  const connect = (listeners: NoticeListeners) => createLocalConnection({ user: id, address, rooms, maxSubscriptions, listeners })
  // All requests count as those of one connection, which is what a rate without a user counts by.
  const requester = connect({})
  const requests = { begin: (_: Connection, name: RequestName) => core.requests.begin(requester, name, () => {}) }
  let mine = 0
  let underWay = 0

  const refuseIfOver = (): void => {
    const refusal = context.refusal(user)
    if (refusal !== undefined) throw refusal
  }

  const sendOn = async <Name extends RequestName>(
    connection: LocalConnection,
    handler: Handler<Name>,
    message: unknown,
  ): Promise<Result<Name>> => {
    refuseIfOver()
    const reply = await new Promise<Reply<Result<Name>>>((resolve) => {
      runRequest(handler, connection, message, resolve, { ...core, requests })
    })
    if (!reply.ok) {
      counts.addRefusal(reply.error.code)
      throw fromWireError(reply.error)
    }
    if (READS.has(handler.name)) refuseIfOver()
    return reply
  }

  return {
    send: async (handler, message) => {
      // Answers of `authorize` are remembered while requests are under way, and revocations reach them.
      if (underWay === 0) entrances.open(requester, user)
      underWay += 1
      try {
        return await sendOn(requester, handler, message)
      } finally {
        underWay -= 1
        if (underWay === 0) entrances.close(requester)
      }
    },
    subscribe: (listeners, onEnd) => {
      const connection = connect({
        ...listeners,
        'server:revoked': ({ error }) => subscription.end(fromWireError(error)),
      })
      const subscription: UserSubscription = {
        get isOpen() {
          return connection.connected
        },
        send: (handler, message) => sendOn(connection, handler, message),
        end: (error) => {
          if (!connection.connected) return
          subscription.close()
          const reason = error instanceof RealtimeError ? error : new RealtimeError('INTERNAL', { cause: error })
          callSafely(
            () => onEnd(reason),
            (thrown) => core.onError(thrown, { stage: 'listener', subject: 'onEnd' }),
          )
        },
        close: () => {
          if (!connection.connected) return
          mine -= 1
          running.delete(subscription)
          stopTimer()
          connection.close()
          for (const feature of features) feature.onDisconnect?.(connection)
          entrances.close(connection)
        },
      }
      const stopTimer = user?.expiresAt === undefined ? () => {} : runAt(user.expiresAt, () => subscription.end(expired()))
      mine += 1
      running.add(subscription)
      // Deliveries that are authorized name by name go to the room of its id.
      connection.join(connection.id)
      entrances.open(connection, user)
      const refusal = context.refusal(user) ?? (mine > maxSubscriptions ? tooMany(maxSubscriptions) : undefined)
      if (refusal !== undefined) subscription.end(refusal)
      return subscription
    },
  }
}

const tooMany = (most: number): RealtimeError =>
  new RealtimeError('TOO_MANY_SUBSCRIPTIONS', {
    message: `Subscription limit reached for this realtime.as(user) (maxSubscriptions: ${most}).`,
  })
