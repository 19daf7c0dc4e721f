import { RealtimeError } from '@tutti/protocol'
import type { Connection } from '../connection/connection.ts'
import { createAdmissionQueue, type Act, type AdmissionQueue } from './admission-queue.ts'
import type { AuditTrail } from './audit-log.ts'
import { ALLOWED, createAuthorizationCache, type AuthorizationCache, type Verdict } from './authorization-cache.ts'
import type { Access, Authorize, User } from './authorize.ts'
import { runAt } from './schedule-at.ts'

/** Authorizes every message of a client, and every delivery that is authorized by name. */
export interface AccessControl {
  /** Everything is allowed and nothing of it is recorded: nothing reads the accesses of `admit`, which may be empty. */
  readonly isOpen: boolean
  /**
   * Acts when all accesses are allowed, in the order of the connection's messages; else throws or rejects with the refusal.
   * Without `authorize` there are no verdicts.
   */
  admit<Result>(connection: Connection, accesses: readonly Access[], act: Act<Result>): Result | Promise<Result>
  /** The verdict on one access; never throws or rejects. */
  decide(connection: Connection, access: Access): Verdict | Promise<Verdict>
  /** Whether no rights were taken away since the verdict was given. */
  isCurrent(connection: Connection, verdict: Verdict): boolean
}

/** Access control with the connections that it knows. */
export interface ConnectionAccess<U extends User> extends AccessControl {
  /** Called when a verdict is remembered no longer: what the connection holds by it is authorized anew. */
  onExpiry: (connection: Connection) => void
  /** All open connections. */
  readonly all: Iterable<Connection>
  open(connection: Connection, user: U | null): void
  close(connection: Connection): void
  /** Whether a verdict about it is remembered. */
  isRemembered(connection: Connection, access: Access): boolean
  /** Rights were taken away: forgets every verdict of the connection. */
  forget(connection: Connection): void
}

/** What a connection needs from its first authorized access on. */
interface Authorization {
  readonly cache: AuthorizationCache
  readonly queue: AdmissionQueue
}

/** An open connection. */
interface OpenConnection<U extends User> {
  readonly user: U | null
  authorization?: Authorization
}

/** The earliest that a running subscription is authorized again, also where `forMs` is shorter, milliseconds. */
const LEAST_MS = 1_000

const NO_VERDICTS: readonly Verdict[] = []

/** Makes access control over the application's `authorize`. Without one everything is allowed (X2). */
export function createAccessControl<U extends User>(authorize: Authorize<U> | undefined, audit: AuditTrail): ConnectionAccess<U> {
  const openConnections = new Map<Connection, OpenConnection<U>>()
  const expiries = new Map<Connection, { readonly at: number; readonly cancel: () => void }>()

  const note = (connection: Connection, access: Access, verdict: Verdict): void => {
    if ('refusal' in verdict) audit.refused(connection, access, verdict.refusal)
    else audit.allowed(connection, access)
  }

  /** One timer for each connection, at the first time that one of its verdicts ends. */
  const planExpiry = (connection: Connection, until: number): void => {
    const at = Math.max(until, Date.now() + LEAST_MS)
    const planned = expiries.get(connection)
    if ((planned !== undefined && planned.at <= at) || !openConnections.has(connection)) return
    planned?.cancel()
    const cancel = runAt(at, () => {
      expiries.delete(connection)
      const next = openConnections.get(connection)?.authorization?.cache.nextExpiry() ?? Infinity
      if (next !== Infinity) planExpiry(connection, next)
      control.onExpiry(connection)
    })
    expiries.set(connection, { at, cancel })
  }

  const create = (connection: Connection, user: U | null, authorize: Authorize<U>): Authorization => {
    const { id, clientId } = connection
    const cache = createAuthorizationCache(
      (access) => authorize({ ...access, user, connection: { id, clientId } }),
      Date.now,
      (until) => planExpiry(connection, until),
    )
    return { cache, queue: createAdmissionQueue(cache, (access, verdict) => note(connection, access, verdict)) }
  }
  const authorizationOf = (connection: Connection, authorize: Authorize<U>): Authorization | undefined => {
    const openConnection = openConnections.get(connection)
    return openConnection && (openConnection.authorization ??= create(connection, openConnection.user, authorize))
  }

  const control: ConnectionAccess<U> = {
    onExpiry: () => {},
    isOpen: authorize === undefined && !audit.recordsAllowed,
    get all() {
      return openConnections.keys()
    },
    open: (connection, user) => void openConnections.set(connection, { user }),
    close: (connection) => {
      openConnections.delete(connection)
      expiries.get(connection)?.cancel()
      expiries.delete(connection)
    },
    admit: (connection, accesses, act) => {
      if (authorize === undefined) {
        for (const access of accesses) note(connection, access, ALLOWED)
        return act(NO_VERDICTS)
      }
      const authorization = authorizationOf(connection, authorize)
      if (authorization === undefined) throw goneError()
      return authorization.queue.admit(accesses, act)
    },
    decide: (connection, access) => {
      if (authorize === undefined) return ALLOWED
      return authorizationOf(connection, authorize)?.cache.decide(access) ?? { refusal: goneError() }
    },
    isCurrent: (connection, verdict) =>
      authorize === undefined || openConnections.get(connection)?.authorization?.cache.isCurrent(verdict) === true,
    isRemembered: (connection, access) => openConnections.get(connection)?.authorization?.cache.isRemembered(access) === true,
    forget: (connection) => openConnections.get(connection)?.authorization?.cache.forget(),
  }
  return control
}

/** Error for a request whose connection has ended. */
export const goneError = (): RealtimeError =>
  new RealtimeError('CLOSED', { message: 'The connection was closed before the request completed.' })
