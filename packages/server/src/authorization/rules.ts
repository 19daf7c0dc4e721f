import { parsePattern, RealtimeError } from '@tutti/protocol'
import { anything, isJsonObject, parseOptions, type OptionRow, type OptionRows } from '@tutti/protocol/internal'
import type { Decision, Authorize, AuthorizeRequest, User } from './authorize.ts'

/** The value of a rule: an answer, or a function that returns it. */
export type Rule<U extends User = User> = Decision | ((question: AuthorizeRequest<U>) => Decision | Promise<Decision>)

/** The permitted actions on the keys of one pattern. */
export interface StateRule<U extends User = User> {
  readonly read?: Rule<U> | undefined
  readonly write?: Rule<U> | undefined
}

/** The permitted actions on the channels of one pattern. */
export interface EventRule<U extends User = User> {
  readonly subscribe?: Rule<U> | undefined
  readonly publish?: Rule<U> | undefined
}

/** Rights on the presence of the rooms of one pattern. */
export interface PresenceRule<U extends User = User> {
  readonly read?: Rule<U> | undefined
  readonly join?: Rule<U> | undefined
}

/** The permitted actions on keys, by pattern: `todos:*`, `count`, `user:{id}:*`. */
export type StateRules<U extends User = User> = Readonly<Record<string, StateRule<U>>>

/** The permitted actions on channels, by pattern. */
export type EventRules<U extends User = User> = Readonly<Record<string, EventRule<U>>>

/** Rights on presence, by room or pattern of rooms: `doc:*`, `user:{id}:*`. */
export type PresenceRules<U extends User = User> = Readonly<Record<string, PresenceRule<U>>>

/** What `rules` takes. */
export interface RuleTables<U extends User = User> {
  readonly state?: StateRules<U> | undefined
  readonly events?: EventRules<U> | undefined
  readonly presence?: PresenceRules<U> | undefined
}

const table: OptionRow<undefined> = ['an object with rules', isJsonObject, undefined]
const TABLES = { state: table, events: table, presence: table } satisfies OptionRows<RuleTables>
const STATE = { read: anything, write: anything } satisfies OptionRows<StateRule>
const EVENTS = { subscribe: anything, publish: anything } satisfies OptionRows<EventRule>
const PRESENCE = { read: anything, join: anything } satisfies OptionRows<PresenceRule>

interface Written {
  /** The pattern as written in the table. */
  readonly written: readonly string[]
}

interface Row<U extends User> extends Written {
  readonly rule: Rule<U>
}

/** A row for one user. */
interface Bound<U extends User> extends Row<U> {
  readonly segments: readonly string[]
}

/**
 * An `authorize` from tables. Of the patterns that match a name only the most specific decides: segment by segment from the
 * left, a word takes precedence over `{id}`, and `{id}` over `*`. `{id}` is the id of the requesting user. Names without a
 * matching pattern, and actions that the deciding row does not list, are denied. A pattern or prefix is decided by the row that
 * covers it; if rows below it may differ, the answer is `each`.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS` for an invalid pattern and for an unknown column.
 *
 * @example
 * const authorize = rules({ state: { count: { read: true, write: true }, 'user:{id}:*': { read: true, write: true } } })
 */
export function rules<U extends User = User>(tables: RuleTables<U>): Authorize<U> {
  const { state = {}, events = {}, presence = {} } = parseOptions('rules', TABLES, tables)
  const rows: Record<AuthorizeRequest['action'], readonly Row<U>[]> = {
    'state:read': rowsOf(state, STATE, ({ read = false }) => read),
    'state:write': rowsOf(state, STATE, ({ write = false }) => write),
    'event:subscribe': rowsOf(events, EVENTS, ({ subscribe = false }) => subscribe),
    'event:publish': rowsOf(events, EVENTS, ({ publish = false }) => publish),
    'presence:read': rowsOf(presence, PRESENCE, ({ read = false }) => read),
    'presence:join': rowsOf(presence, PRESENCE, ({ join = false }) => join),
  }
  return (question) => {
    const asked = namedBy(question)
    const bound = rows[question.action].flatMap((row) => bind(row, question.user))
    const [deciding = DENIED] = bound.filter(({ segments }) => covers(segments, asked)).toSorted(bySpecificity)
    const below = bound.filter(({ segments }) => asked.at(-1) === '*' && segments !== deciding.segments && covers(asked, segments))
    const { rule } = deciding
    if (below.every((row) => row.rule === rule && typeof rule === 'boolean')) return typeof rule === 'function' ? rule(question) : rule
    return 'each'
  }
}

const DENIED = { written: [], segments: [], rule: false } as const

function rowsOf<Columns extends object, U extends User>(
  table: Readonly<Record<string, Columns>>,
  known: OptionRows<Columns>,
  rule: (columns: Columns) => Rule<U>,
): Row<U>[] {
  return Object.entries(table).map(([pattern, columns]) => {
    parseOptions(`The rule ${pattern}`, known, columns)
    return { written: segmentsOfPattern(pattern), rule: rule(columns) }
  })
}

function segmentsOfPattern(pattern: string): string[] {
  const segments = pattern.split(':')
  try {
    parsePattern(segments.map((segment) => (segment === '{id}' ? 'id' : segment)).join(':'))
    return segments
  } catch (cause) {
    throw new RealtimeError('INVALID_OPTIONS', {
      message: `Invalid rule pattern ${JSON.stringify(pattern)}: use a name, {id} as a segment, name:* or *.`,
      cause,
    })
  }
}

/** The row for this user; undefined if it requires a user and there is none. */
function bind<U extends User>(row: Row<U>, user: U | null): Bound<U>[] {
  const { written } = row
  if (!written.includes('{id}')) return [{ ...row, segments: written }]
  // An id that is no single segment would reach below another's.
  if (user === null || /[:*]/.test(user.id)) return []
  return [{ ...row, segments: written.map((segment) => (segment === '{id}' ? user.id : segment)) }]
}

function namedBy({ target }: AuthorizeRequest): string[] {
  if ('key' in target) return target.key.split(':')
  if ('channel' in target) return target.channel.split(':')
  if ('room' in target) return target.room.split(':')
  return ('pattern' in target ? target.pattern : `${target.prefix}*`).split(':')
}

/** Whether all names of `inner` (one name, or a pattern) are within `outer`. */
function covers(outer: readonly string[], inner: readonly string[]): boolean {
  const isOpen = outer.at(-1) === '*'
  const fixed = isOpen ? outer.slice(0, -1) : outer
  return fixed.every((segment, index) => segment === inner[index]) && (isOpen ? inner.length > fixed.length : inner.length === fixed.length)
}

/** The most specific first. */
function bySpecificity({ written: first }: Written, { written: second }: Written): number {
  const differs = first.findIndex((segment, index) => rank(segment) !== rank(second[index]))
  return differs === -1 ? 0 : rank(first[differs]) - rank(second[differs])
}

const rank = (segment: string | undefined): number => (segment === '*' ? 2 : segment === '{id}' ? 1 : 0)
