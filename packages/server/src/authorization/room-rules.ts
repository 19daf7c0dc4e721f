import { splitRoomKey } from '@tutti/protocol/internal'
import type { AuthorizeRequest, Decision, User } from './authorize.ts'
import { decide, nameOf, valueFor, type Row } from './rule-rows.ts'
import type { ActionRows } from './rules.ts'

/** The room that a question is about, and the name within it. */
const placeOf = (question: AuthorizeRequest): { room: string; key: string } | undefined =>
  'room' in question.target ? { room: question.target.room, key: '*' } : splitRoomKey(nameOf(question))

/** Whether a pattern of keys or channels covers names of several rooms. */
const coversRooms = (name: string): boolean => name === '*' || /^room(:.*)?:\*$/s.test(name)

/**
 * Decides by the rows of rooms; `undefined` where none applies. A pattern over several rooms is decided name by name, if there are any rows.
 */
export const createRoomRules =
  <U extends User>(rows: readonly Row<ActionRows<U>>[]) =>
  (question: AuthorizeRequest<U>): Decision | Promise<Decision> | undefined => {
    if (rows.length === 0) return undefined
    const place = placeOf(question)
    if (place === undefined) return coversRooms(nameOf(question)) ? 'each' : undefined
    const row = valueFor(rows, question.user, place.room)
    return row && decide(row[question.action], question, place.key)
  }
