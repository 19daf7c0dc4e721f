import { parsePattern, RealtimeError } from '@tutti/protocol'
import { parseOptions, type OptionRows } from '@tutti/protocol/internal'
import type { AuthorizeRequest, Decision, User } from './authorize.ts'
import type { Rule } from './rules.ts'

/** A pattern as written in a table. */
interface Written {
  readonly written: readonly string[]
}

/** A row of a table, with the value for the names that its pattern matches. */
export interface Row<Value> extends Written {
  readonly value: Value
}

/** A row for one user. */
interface Bound<Value> extends Row<Value> {
  readonly segments: readonly string[]
}

/** The rows of a table, whose columns become a value. Throws `INVALID_OPTIONS`. */
export function rowsOf<Columns extends object, Value>(
  table: Readonly<Record<string, Columns>>,
  known: OptionRows<Columns>,
  value: (columns: Columns) => Value,
): Row<Value>[] {
  return Object.entries(table).map(([pattern, columns]) => {
    parseOptions(`The rule ${pattern}`, known, columns)
    return { written: segmentsOfPattern(pattern), value: value(columns) }
  })
}

/** The decision of the most specific row for the name or pattern; `each` where rows below a pattern may differ. */
export function decide<U extends User>(
  rows: readonly Row<Rule<U>>[],
  question: AuthorizeRequest<U>,
  name: string,
): Decision | Promise<Decision> {
  const asked = name.split(':')
  const bound = rows.flatMap((row) => bind(row, question.user))
  const deciding = mostSpecific(bound, asked)
  const below = bound.filter(({ segments }) => asked.at(-1) === '*' && segments !== deciding?.segments && covers(asked, segments))
  const rule = deciding?.value ?? false
  if (below.every((row) => row.value === rule && typeof rule === 'boolean')) return typeof rule === 'function' ? rule(question) : rule
  return 'each'
}

/** The value of the most specific row that matches the name; `undefined` if none does. */
export const valueFor = <Value>(rows: readonly Row<Value>[], user: User | null, name: string): Value | undefined =>
  mostSpecific(
    rows.flatMap((row) => bind(row, user)),
    name.split(':'),
  )?.value

/** What the question is about, as a name or pattern. */
export function nameOf({ target }: Pick<AuthorizeRequest, 'target'>): string {
  if ('key' in target) return target.key
  if ('channel' in target) return target.channel
  if ('room' in target) return target.room
  if ('document' in target) return target.document
  return 'pattern' in target ? target.pattern : `${target.prefix}*`
}

const mostSpecific = <Value>(bound: readonly Bound<Value>[], asked: readonly string[]): Bound<Value> | undefined =>
  bound.filter(({ segments }) => covers(segments, asked)).toSorted(bySpecificity)[0]

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
function bind<Value>(row: Row<Value>, user: User | null): Bound<Value>[] {
  const { written } = row
  if (!written.includes('{id}')) return [{ ...row, segments: written }]
  // An id that is no single segment would reach below another's.
  if (user === null || /[:*]/.test(user.id)) return []
  return [{ ...row, segments: written.map((segment) => (segment === '{id}' ? user.id : segment)) }]
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
