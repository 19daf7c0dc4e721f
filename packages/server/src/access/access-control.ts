import { RealtimeError } from '@tutti/protocol'
import type { Connection } from '../connection.ts'
import { ALLOWED, Decisions, type Verdict } from './decisions.ts'
import { Door, type Act } from './door.ts'
import type { Access, Authorize, User } from './question.ts'

/** Who may do what: the one door that every message of a client goes through, and every delivery that is asked for by name. */
export interface AccessControl {
  /** Acts when all that is asked for is allowed, in the order of the connection's messages (E4); else throws or rejects with the refusal. */
  admit<Result>(connection: Connection, accesses: readonly Access[], act: Act<Result>): Result | Promise<Result>
  /** The verdict on one thing; never throws or rejects. */
  decide(connection: Connection, access: Access): Verdict | Promise<Verdict>
}

interface Entrance {
  readonly decisions: Decisions
  readonly door: Door
}

/** Access control over the application's `authorize`; without one everything is allowed (X2). */
export class Entrances<U extends User> implements AccessControl {
  private readonly entrances = new Map<Connection, Entrance>()
  private readonly authorize: Authorize<U> | undefined

  constructor(authorize: Authorize<U> | undefined) {
    this.authorize = authorize
  }

  /** A connection is there. */
  open(connection: Connection, user: U | null): void {
    const { authorize } = this
    if (authorize === undefined) return
    const { id, clientId } = connection
    const ask = (access: Access) => authorize({ ...access, user, connection: { id, clientId } })
    const decisions = new Decisions(ask, Date.now, () => {})
    this.entrances.set(connection, { decisions, door: new Door(decisions) })
  }

  /** A connection is gone. */
  close(connection: Connection): void {
    this.entrances.delete(connection)
  }

  admit<Result>(connection: Connection, accesses: readonly Access[], act: Act<Result>): Result | Promise<Result> {
    if (this.authorize === undefined) return act(accesses.map(() => ALLOWED))
    const entrance = this.entrances.get(connection)
    if (entrance === undefined) throw gone()
    return entrance.door.admit(accesses, act)
  }

  decide(connection: Connection, access: Access): Verdict | Promise<Verdict> {
    if (this.authorize === undefined) return ALLOWED
    return this.entrances.get(connection)?.decisions.decide(access) ?? { refusal: gone() }
  }
}

const gone = (): RealtimeError => new RealtimeError('CLOSED', { message: 'The connection is gone.' })
