import { RealtimeError, toError } from '@tutti/protocol'
import type { Access, Action, Answer } from './authorize.ts'

/** What may be done: all of it, or `each` name of a pattern or prefix once it is asked for; or the error that says why not. */
export type Verdict =
  | {
      readonly allow: true | 'each'
      /** How often rights had been taken away when it was given: `Decisions.revoked`. Without it, it can't be taken away. */
      readonly asOf?: number
    }
  | { readonly refusal: unknown }

/** A yes to everything. */
export const ALLOWED: Verdict = { allow: true }

/** How long a no is remembered where its answer says nothing, milliseconds: long enough that trying again and again costs nothing. */
const REFUSED_MS = 5_000

/** What brings a value with it, on which the answer may depend: asked each time, unless the answer says how long it holds. */
const WITH_VALUE: ReadonlySet<Action> = new Set<Action>(['state:write', 'event:publish'])

/** Answers that are remembered for one connection; past it the oldest are asked again. */
const MAX_REMEMBERED = 10_000

/** Asks the application. */
export type Ask = (access: Access) => Answer | Promise<Answer>

interface Remembered {
  readonly verdict: Verdict
  /** Milliseconds since 1970. */
  readonly until: number
}

/** What one connection may do, asked once and remembered for as long as the answer says (X2). */
export class Decisions {
  /** Grows when rights are taken away: an answer that was asked for before that counts no more. */
  revoked = 0
  private readonly remembered = new Map<string, Remembered>()
  private readonly pending = new Map<string, Promise<Verdict>>()
  private readonly ask: Ask
  private readonly now: () => number
  private readonly onTemporary: (until: number) => void

  /** `now`: milliseconds since 1970. `onTemporary` hears until when a yes that is not for good is remembered. */
  constructor(ask: Ask, now: () => number, onTemporary: (until: number) => void) {
    this.ask = ask
    this.now = now
    this.onTemporary = onTemporary
  }

  /** The verdict, at once where it is known or the application says it at once. Never throws or rejects. */
  decide(access: Access): Verdict | Promise<Verdict> {
    const name = nameOf(access)
    const known = this.remembered.get(name)
    if (known !== undefined && known.until > this.now()) return known.verdict
    // Many that wait for one answer ask once.
    const pending = this.pending.get(name)
    if (pending !== undefined) return pending
    let asked: Promise<Verdict>
    try {
      const answer = this.ask(access)
      if (!isPromise(answer)) return this.keep(name, access, answer)
      asked = this.settle(name, access, answer)
    } catch (thrown) {
      return { refusal: toError(thrown) }
    }
    if (WITH_VALUE.has(access.action)) return asked
    this.pending.set(name, asked)
    void asked.then(() => {
      if (this.pending.get(name) === asked) this.pending.delete(name)
    })
    return asked
  }

  /** Tells whether no rights were taken away since the verdict was given; of no use for a no. */
  isCurrent(verdict: Verdict): boolean {
    return 'refusal' in verdict || verdict.asOf === undefined || verdict.asOf === this.revoked
  }

  /** Tells whether an answer about it is remembered. */
  isRemembered(access: Access): boolean {
    return (this.remembered.get(nameOf(access))?.until ?? 0) > this.now()
  }

  /** When the next of the remembered answers ends, milliseconds since 1970; Infinity: none does. */
  nextExpiry(): number {
    return Math.min(...[...this.remembered.values()].map(({ until }) => until).filter((until) => until > this.now()), Infinity)
  }

  /** Forgets every answer, those that are being asked for included. */
  forget(): void {
    this.revoked += 1
    this.remembered.clear()
    this.pending.clear()
  }

  private async settle(name: string, access: Access, answer: Promise<Answer>): Promise<Verdict> {
    const { revoked } = this
    try {
      const said = await answer
      // Rights were taken away while it was asked for: the answer may be from before that.
      return revoked === this.revoked ? this.keep(name, access, said) : this.decide(access)
    } catch (thrown) {
      return { refusal: toError(thrown) }
    }
  }

  private keep(name: string, access: Access, answer: Answer): Verdict {
    // An application in plain JavaScript may answer anything, null included.
    const { allow, forMs } = typeof answer === 'object' ? { ...answer } : { allow: answer }
    if (forMs !== undefined && (typeof forMs !== 'number' || !(forMs >= 0)))
      throw new TypeError('`forMs` must be a number of milliseconds.')
    const verdict = this.verdictOf(access, allow)
    const byDefault = WITH_VALUE.has(access.action) ? 0 : 'allow' in verdict ? Infinity : REFUSED_MS
    const until = this.now() + (forMs ?? byDefault)
    this.remember(name, { verdict, until })
    if ('allow' in verdict && forMs !== undefined && !WITH_VALUE.has(access.action)) this.onTemporary(until)
    return verdict
  }

  /** Only a clear yes is one: whatever else an application answers is a no. */
  private verdictOf({ target }: Access, allow: unknown): Verdict {
    if (allow === true || (allow === 'each' && ('prefix' in target || 'pattern' in target))) return { allow, asOf: this.revoked }
    return { refusal: new RealtimeError('FORBIDDEN', { message: 'You may not do this.' }) }
  }

  private remember(name: string, remembered: Remembered): void {
    this.remembered.delete(name)
    if (remembered.until <= this.now()) return
    this.remembered.set(name, remembered)
    const [oldest] = this.remembered.keys()
    if (this.remembered.size > MAX_REMEMBERED && oldest !== undefined) this.remembered.delete(oldest)
  }
}

/** Also one of another library, such as the queries of a database. */
const isPromise = (answer: Answer | Promise<Answer>): answer is Promise<Answer> =>
  typeof answer === 'object' && answer !== null && 'then' in answer

/** Names hold no `{`, so no two things have one name here. */
const nameOf = ({ action, target }: Access): string => `${action}${JSON.stringify(target)}`
