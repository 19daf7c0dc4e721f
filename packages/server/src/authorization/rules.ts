import { anything, isJsonObject, parseOptions, type OptionRow, type OptionRows } from '@tutti/protocol/internal'
import type { Decision, Authorize, AuthorizeRequest, User } from './authorize.ts'
import { createRoomRules } from './room-rules.ts'
import { decide, nameOf, rowsOf, type Row } from './rule-rows.ts'

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

/** The permitted actions on the documents of one pattern. */
export interface DocumentRule<U extends User = User> {
  readonly read?: Rule<U> | undefined
  readonly write?: Rule<U> | undefined
}

/** Rights on the locks of the keys of one pattern. */
export interface LockRule<U extends User = User> {
  readonly read?: Rule<U> | undefined
  readonly acquire?: Rule<U> | undefined
  readonly force?: Rule<U> | undefined
}

/** The permitted actions on keys, by pattern: `todos:*`, `count`, `user:{id}:*`. */
export type StateRules<U extends User = User> = Readonly<Record<string, StateRule<U>>>

/** The permitted actions on channels, by pattern. */
export type EventRules<U extends User = User> = Readonly<Record<string, EventRule<U>>>

/** Rights on presence, by room or pattern of rooms: `doc:*`, `user:{id}:*`. */
export type PresenceRules<U extends User = User> = Readonly<Record<string, PresenceRule<U>>>

/** Rights on what belongs to the rooms of one pattern. */
export interface RoomRule<U extends User = User> {
  /** To join the room by `room(client, name)`. */
  readonly join?: Rule<U> | undefined
  readonly presence?: PresenceRule<U> | undefined
  /** By key or pattern within the room: `title`, `todos:*`. */
  readonly state?: StateRules<U> | undefined
  /** By channel or pattern within the room. */
  readonly events?: EventRules<U> | undefined
  /** By key or pattern within the room. */
  readonly locks?: LockRules<U> | undefined
}

/** Rights by room, by name or pattern: `proj:*`, `user:{id}`. */
export type RoomRules<U extends User = User> = Readonly<Record<string, RoomRule<U>>>

/** Rights on locks, by key or pattern of keys: `form:*`, `user:{id}:*`. */
export type LockRules<U extends User = User> = Readonly<Record<string, LockRule<U>>>

/** The permitted actions on documents, by id or pattern of ids: `notes:*`, `user:{id}:*`. */
export type DocumentRules<U extends User = User> = Readonly<Record<string, DocumentRule<U>>>

/** What `rules` takes. */
export interface RuleTables<U extends User = User> {
  readonly state?: StateRules<U> | undefined
  readonly events?: EventRules<U> | undefined
  readonly presence?: PresenceRules<U> | undefined
  readonly documents?: DocumentRules<U> | undefined
  readonly locks?: LockRules<U> | undefined
  /** Decides about all that belongs to the rooms that it matches; the other tables about all else. */
  readonly rooms?: RoomRules<U> | undefined
}

const table: OptionRow<undefined> = ['an object with rules', isJsonObject, undefined]
const TABLES = {
  ...{ state: table, events: table, presence: table, documents: table, locks: table, rooms: table },
} satisfies OptionRows<RuleTables>
const STATE = { read: anything, write: anything } satisfies OptionRows<StateRule>
const EVENTS = { subscribe: anything, publish: anything } satisfies OptionRows<EventRule>
const DOCUMENTS = { read: anything, write: anything } satisfies OptionRows<DocumentRule>
const PRESENCE = { read: anything, join: anything } satisfies OptionRows<PresenceRule>
const LOCKS = { read: anything, acquire: anything, force: anything } satisfies OptionRows<LockRule>
const ROOM = { join: anything, presence: table, state: table, events: table, locks: table } satisfies OptionRows<RoomRule>

/** The rows that decide about each action. */
export type ActionRows<U extends User> = Readonly<Record<AuthorizeRequest['action'], readonly Row<Rule<U>>[]>>

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
  const { rooms, ...others } = parseOptions('rules', TABLES, tables)
  const rows = tableRows(others)
  const decideByName: Authorize<U> = (question) => decide(rows[question.action], question, nameOf(question))
  if (rooms === undefined) return decideByName
  const decideRoom = createRoomRules(rowsOf(rooms, ROOM, roomRows))
  return (question) => decideRoom(question) ?? decideByName(question)
}

/** The rows of each action. */
function tableRows<U extends User>({
  state = {},
  events = {},
  presence = {},
  documents = {},
  locks = {},
}: Omit<RuleTables<U>, 'rooms'>): ActionRows<U> {
  return {
    'state:read': rowsOf(state, STATE, ({ read = false }) => read),
    'state:write': rowsOf(state, STATE, ({ write = false }) => write),
    'event:subscribe': rowsOf(events, EVENTS, ({ subscribe = false }) => subscribe),
    'event:publish': rowsOf(events, EVENTS, ({ publish = false }) => publish),
    'presence:read': rowsOf(presence, PRESENCE, ({ read = false }) => read),
    'presence:join': rowsOf(presence, PRESENCE, ({ join = false }) => join),
    'room:join': [],
    'document:read': rowsOf(documents, DOCUMENTS, ({ read = false }) => read),
    'document:write': rowsOf(documents, DOCUMENTS, ({ write = false }) => write),
    'lock:read': rowsOf(locks, LOCKS, ({ read = false }) => read),
    'lock:acquire': rowsOf(locks, LOCKS, ({ acquire = false }) => acquire),
    'lock:force': rowsOf(locks, LOCKS, ({ force = false }) => force),
  }
}

/** The same within a room, where its presence and the room itself have the name `*`. */
function roomRows<U extends User>({ join = false, presence = {}, state, events, locks }: RoomRule<U>): ActionRows<U> {
  return { ...tableRows({ state, events, locks, presence: { '*': presence } }), 'room:join': rowsOf({ '*': {} }, {}, () => join) }
}
