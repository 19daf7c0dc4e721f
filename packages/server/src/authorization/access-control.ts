import { RealtimeError } from '@tutti/protocol'
import type { Connection } from '../connection/connection.ts'
import type { AuditTrail } from './audit-log.ts'
import { ALLOWED, Decisions, type Verdict } from './authorization-cache.ts'
import { Door, type Act } from './admission-queue.ts'
import type { Access, Authorize, User } from './authorize.ts'
import { runAt } from './schedule-at.ts'

/** Who may do what: the one door that every message of a client goes through, and every delivery that is asked for by name. */
export interface AccessControl {
  /** Acts when all that is asked for is allowed, in the order of the connection's messages (E4); else throws or rejects with the refusal. */
  admit<Result>(connection: Connection, accesses: readonly Access[], act: Act<Result>): Result | Promise<Result>
  /** The verdict on one thing; never throws or rejects. */
  decide(connection: Connection, access: Access): Verdict | Promise<Verdict>
  /** Tells whether no rights were taken away since the verdict was given. */
  isCurrent(connection: Connection, verdict: Verdict): boolean
}

interface Entrance {
  readonly decisions: Decisions
  readonly door: Door
}

/** The earliest that a running subscription is asked about again, whatever `forMs` says, milliseconds. */
const LEAST_MS = 1_000

/** Access control over the application's `authorize`; without one everything is allowed (X2). */
export class Entrances<U extends User> implements AccessControl {
  /** Hears that an answer is remembered no longer: what the connection holds by it is to be asked about. */
  onExpiry: (connection: Connection) => void = () => {}
  private readonly entrances = new Map<Connection, Entrance>()
  private readonly expiries = new Map<Connection, { readonly at: number; readonly cancel: () => void }>()
  private readonly authorize: Authorize<U> | undefined
  private readonly audit: AuditTrail

  constructor(authorize: Authorize<U> | undefined, audit: AuditTrail) {
    this.authorize = authorize
    this.audit = audit
  }

  /** All who are here. */
  get all(): Iterable<[Connection, Entrance]> {
    return this.entrances
  }

  /** A connection is there. */
  open(connection: Connection, user: U | null): void {
    const { authorize } = this
    const { id, clientId } = connection
    const ask = (access: Access) => authorize === undefined || authorize({ ...access, user, connection: { id, clientId } })
    const decisions = new Decisions(ask, Date.now, (until) => this.expire(connection, until))
    const door = new Door(decisions, (access, verdict) => this.note(connection, access, verdict))
    this.entrances.set(connection, { decisions, door })
  }

  /** A connection is gone. */
  close(connection: Connection): void {
    this.entrances.delete(connection)
    this.expiries.get(connection)?.cancel()
    this.expiries.delete(connection)
  }

  admit<Result>(connection: Connection, accesses: readonly Access[], act: Act<Result>): Result | Promise<Result> {
    if (this.authorize === undefined) {
      for (const access of accesses) this.note(connection, access, ALLOWED)
      return act(accesses.map(() => ALLOWED))
    }
    const entrance = this.entrances.get(connection)
    if (entrance === undefined) throw gone()
    return entrance.door.admit(accesses, act)
  }

  decide(connection: Connection, access: Access): Verdict | Promise<Verdict> {
    if (this.authorize === undefined) return ALLOWED
    return this.entrances.get(connection)?.decisions.decide(access) ?? { refusal: gone() }
  }

  isCurrent(connection: Connection, verdict: Verdict): boolean {
    return this.authorize === undefined || this.entrances.get(connection)?.decisions.isCurrent(verdict) === true
  }

  /** Tells whether an answer about it is remembered. */
  isRemembered(connection: Connection, access: Access): boolean {
    return this.entrances.get(connection)?.decisions.isRemembered(access) === true
  }

  private note(connection: Connection, access: Access, verdict: Verdict): void {
    if ('refusal' in verdict) this.audit.refused(connection, access, verdict.refusal)
    else this.audit.allowed(connection, access)
  }

  /** One timer for each connection, at the first time that one of its answers ends. */
  private expire(connection: Connection, until: number): void {
    const at = Math.max(until, Date.now() + LEAST_MS)
    const planned = this.expiries.get(connection)
    if ((planned !== undefined && planned.at <= at) || !this.entrances.has(connection)) return
    planned?.cancel()
    const cancel = runAt(at, () => {
      this.expiries.delete(connection)
      const next = this.entrances.get(connection)?.decisions.nextExpiry() ?? Infinity
      if (next !== Infinity) this.expire(connection, next)
      this.onExpiry(connection)
    })
    this.expiries.set(connection, { at, cancel })
  }
}

const gone = (): RealtimeError => new RealtimeError('CLOSED', { message: 'The connection is gone.' })
