import type { Coordination } from '@tutti/coordination/contract'
import { RealtimeError, toWireError, type JsonValue, type Requests } from '@tutti/protocol'
import { goneError } from '../authorization/access-control.ts'
import { revokedError } from '../authorization/revocations.ts'
import type { Connection } from '../connection/connection.ts'
import { heldLock } from '../connection/subscription-names.ts'
import type { ServerErrorListener } from '../feature.ts'
import { toWireHolder } from './wire-holder.ts'

/** The locks that connections of this instance have or wait for. */
export interface LockRequests {
  /** Rejects as `Locks.acquire` does, and with `LOCK_LOST` if the connection has cancelled or repeated the request meanwhile. */
  acquire(connection: Connection, request: LockRequestOptions): Promise<Requests['lock:acquire']['result']>
  cancel(connection: Connection, key: string, request: string): Promise<object>
  release(connection: Connection, key: string, token: number): Promise<object>
  /** The right to have the lock has ended. */
  end(connection: Connection, key: string): void
  /** The connection is closed. */
  disconnect(connection: Connection): void
}

/** A request with all that applies to it. */
export interface LockRequestOptions {
  readonly key: string
  readonly request: string
  readonly ttlMs: number
  /** Absent: it is not queued. */
  readonly waitMs: number | undefined
  readonly info: JsonValue | undefined
}

interface OwnRequest {
  readonly request: string
  /** The grant; undefined before it. */
  token: number | undefined
  /** Runs from the reply until the grant. */
  timer: NodeJS.Timeout | undefined
  isRevoked: boolean
}

const endedError = (key: string): RealtimeError =>
  new RealtimeError('LOCK_LOST', {
    message: `This request for the lock of ${key} has ended: this connection has cancelled it or sent another one.`,
  })

/** Makes the requests of one instance. */
export function createLockRequests({ locks }: Pick<Coordination, 'locks'>, onError: ServerErrorListener): LockRequests {
  const byConnection = new Map<Connection, Map<string, OwnRequest>>()
  const find = (connection: Connection, key: string): OwnRequest | undefined => byConnection.get(connection)?.get(key)

  const forget = (connection: Connection, key: string): void => {
    const own = byConnection.get(connection)
    clearTimeout(own?.get(key)?.timer)
    own?.delete(key)
    if (own?.size === 0) byConnection.delete(connection)
    connection.subscriptions.delete(heldLock(key))
  }
  const endLater = (key: string, end: Promise<void>): void => {
    end.catch((error: unknown) => onError(error, { stage: 'locks', subject: key }))
  }
  /** The time of a request that waits is over. */
  const refuse = async (connection: Connection, key: string, own: OwnRequest, waitMs: number): Promise<void> => {
    if (find(connection, key) !== own) return
    forget(connection, key)
    // A grant that comes meanwhile ends with it.
    await locks.cancel(key, connection.id, own.request)
    const error = new RealtimeError('TIMEOUT', { message: `The lock of ${key} was not granted within ${waitMs} ms (waitMs).` })
    connection.send('lock:refused', { key, request: own.request, error: toWireError(error) })
  }
  const start = (connection: Connection, key: string, request: string): OwnRequest => {
    const before = find(connection, key)
    clearTimeout(before?.timer)
    const own: OwnRequest = { request, token: undefined, timer: undefined, isRevoked: false }
    byConnection.set(connection, (byConnection.get(connection) ?? new Map<string, OwnRequest>()).set(key, own))
    return own
  }

  return {
    acquire: async (connection, { key, request, ttlMs, waitMs, info }) => {
      // Authorization took longer than the connection lasted: nothing would end what begins now.
      if (!connection.connected) throw goneError()
      connection.subscriptions.add([heldLock(key)])
      const before = find(connection, key)
      const own = start(connection, key, request)
      const isCurrent = (): boolean => find(connection, key) === own
      const { user, clientId, id: connectionId } = connection
      try {
        const acquired = await locks.acquire(key, {
          ...{ user, clientId, connectionId, request, ttlMs, waits: waitMs !== undefined, info },
          onGranted: (token) => {
            if (!isCurrent()) return
            clearTimeout(own.timer)
            own.token = token
            connection.send('lock:granted', { key, request, token })
          },
          onLost: (token) => {
            if (!isCurrent()) return
            forget(connection, key)
            connection.send('lock:changed', { key, lost: token })
          },
        })
        if (!connection.connected) locks.disconnect(connectionId)
        else if (!isCurrent()) throw own.isRevoked ? revokedError() : endedError(key)
        switch (acquired.state) {
          case 'granted':
            own.token = acquired.token
            return { token: acquired.token }
          case 'waiting':
            if (own.token === undefined && waitMs !== undefined) {
              own.timer = setTimeout(() => endLater(key, refuse(connection, key, own, waitMs)), waitMs)
            }
            return { waiting: true }
          case 'held':
            forget(connection, key)
            return { holder: toWireHolder(acquired.holder) }
        }
      } catch (error) {
        if (isCurrent()) {
          forget(connection, key)
          // A lock that it had before is as before.
          if (before !== undefined && error instanceof RealtimeError && error.code === 'UNAVAILABLE') {
            connection.subscriptions.add([heldLock(key)])
            byConnection.set(connection, (byConnection.get(connection) ?? new Map<string, OwnRequest>()).set(key, before))
          }
        }
        throw error
      }
    },
    cancel: async (connection, key, request) => {
      if (find(connection, key)?.request === request) forget(connection, key)
      await locks.cancel(key, connection.id, request)
      return {}
    },
    release: async (connection, key, token) => {
      // A release of an earlier grant may arrive while a later request waits, or is in flight.
      const forgetGrant = (): void => {
        if (find(connection, key)?.token === token) forget(connection, key)
      }
      forgetGrant()
      await locks.release(key, connection.id, token)
      forgetGrant()
      return {}
    },
    end: (connection, key) => {
      const own = find(connection, key)
      if (own === undefined) return
      own.isRevoked = true
      forget(connection, key)
      endLater(key, locks.cancel(key, connection.id, own.request))
    },
    disconnect: (connection) => {
      const own = byConnection.get(connection)
      byConnection.delete(connection)
      if (own === undefined) return
      for (const { timer } of own.values()) clearTimeout(timer)
      locks.disconnect(connection.id)
    },
  }
}
