import { RealtimeError } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import type { Access, Action, Decision } from './authorize.ts'

/**
 * The permission: all of it, or `each` name of a pattern or prefix after its own authorization; or the error with the reason of
 * a refusal.
 */
export type Verdict =
  | {
      readonly allow: true | 'each'
      /** How often rights had been taken away when it was given: `revoked` of its cache. Without it, it can't be taken away. */
      readonly asOf?: number
    }
  | { readonly refusal: unknown }

/** A yes to everything. */
export const ALLOWED: Verdict = { allow: true }

/**
 * How long a refusal is remembered if its answer does not specify it, milliseconds: long enough that repeated attempts cost
 * nothing.
 */
const REFUSED_MS = 5_000

/**
 * Actions with a value, on which the answer may depend: authorized each time, unless the answer specifies how long it is valid.
 */
const WITH_VALUE: ReadonlySet<Action> = new Set<Action>(['state:write', 'event:publish'])

/** Remembered answers per connection; beyond it the oldest are dropped. */
const MAX_REMEMBERED = 10_000

/** Calls the application's `authorize`. */
export type AuthorizeAccess = (access: Access) => Decision | Promise<Decision>

interface Remembered {
  readonly verdict: Verdict
  /** Milliseconds since 1970. */
  readonly until: number
}

/** The verdicts on one connection, each remembered for the time that the application specifies (X2). */
export interface AuthorizationCache {
  /** The verdict, at once if it is known or the application decides synchronously. Never throws or rejects. */
  decide(access: Access): Verdict | Promise<Verdict>
  /** Whether no rights were taken away since the verdict was given; of no use for a refusal. */
  isCurrent(verdict: Verdict): boolean
  /** Whether a verdict about it is remembered. */
  isRemembered(access: Access): boolean
  /** When the next of the remembered verdicts ends, milliseconds since 1970; Infinity: none does. */
  nextExpiry(): number
  /** Forgets every verdict, including pending ones. */
  forget(): void
}

/**
 * Makes the cache of one connection. `now`: milliseconds since 1970. `onTemporary` receives until when an allowing verdict
 * with a limited time is remembered.
 */
export function createAuthorizationCache(
  authorize: AuthorizeAccess,
  now: () => number,
  onTemporary: (until: number) => void,
): AuthorizationCache {
  /** Increases when rights are revoked: a verdict requested before that is no longer valid. */
  let revoked = 0
  const remembered = new Map<string, Remembered>()
  const pending = new Map<string, Promise<Verdict>>()

  /** Only `true`, or `each` for a pattern or prefix, allows: any other answer of an application is a refusal. */
  const verdictOf = ({ action, target }: Access, allow: unknown): Verdict => {
    if (allow === true || (allow === 'each' && ('prefix' in target || 'pattern' in target))) return { allow, asOf: revoked }
    return { refusal: new RealtimeError('FORBIDDEN', { message: `Not allowed: ${action} on ${Object.values(target).join()}.` }) }
  }

  const remember = (name: string, verdict: Remembered): void => {
    remembered.delete(name)
    if (verdict.until <= now()) return
    remembered.set(name, verdict)
    const [oldest] = remembered.keys()
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest)
  }

  const keep = (name: string, access: Access, answer: Decision): Verdict => {
    // An application in plain JavaScript may answer anything, null included.
    const { allow, forMs } = typeof answer === 'object' ? { ...answer } : { allow: answer }
    if (forMs !== undefined && (typeof forMs !== 'number' || !(forMs >= 0)))
      throw new TypeError('Invalid `forMs` returned by `authorize`: it must be a number of milliseconds.')
    const verdict = verdictOf(access, allow)
    const byDefault = WITH_VALUE.has(access.action) ? 0 : 'allow' in verdict ? Infinity : REFUSED_MS
    const until = now() + (forMs ?? byDefault)
    remember(name, { verdict, until })
    if ('allow' in verdict && forMs !== undefined && !WITH_VALUE.has(access.action)) onTemporary(until)
    return verdict
  }

  const settle = async (name: string, access: Access, answer: Promise<Decision>): Promise<Verdict> => {
    const before = revoked
    try {
      const said = await answer
      // Rights were revoked during the call: the answer may be from before that.
      return before === revoked ? keep(name, access, said) : cache.decide(access)
    } catch (thrown) {
      return { refusal: toError(thrown) }
    }
  }

  const cache: AuthorizationCache = {
    decide: (access) => {
      const name = nameOf(access)
      const known = remembered.get(name)
      if (known !== undefined && known.until > now()) return known.verdict
      // Concurrent requests for one verdict share a call.
      const earlier = pending.get(name)
      if (earlier !== undefined) return earlier
      let requested: Promise<Verdict>
      try {
        const answer = authorize(access)
        if (!isPromise(answer)) return keep(name, access, answer)
        requested = settle(name, access, answer)
      } catch (thrown) {
        return { refusal: toError(thrown) }
      }
      if (WITH_VALUE.has(access.action)) return requested
      pending.set(name, requested)
      void requested.then(() => {
        if (pending.get(name) === requested) pending.delete(name)
      })
      return requested
    },
    isCurrent: (verdict) => 'refusal' in verdict || verdict.asOf === undefined || verdict.asOf === revoked,
    isRemembered: (access) => (remembered.get(nameOf(access))?.until ?? 0) > now(),
    nextExpiry: () => Math.min(...[...remembered.values()].map(({ until }) => until).filter((until) => until > now()), Infinity),
    forget: () => {
      revoked += 1
      remembered.clear()
      pending.clear()
    },
  }
  return cache
}

/** Also one of another library, such as the queries of a database. */
const isPromise = (answer: Decision | Promise<Decision>): answer is Promise<Decision> =>
  typeof answer === 'object' && answer !== null && 'then' in answer

/** Names hold no `{`, so no two things have one name here. */
const nameOf = ({ action, target }: Access): string => `${action}${JSON.stringify(target)}`
