import { RealtimeError } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'
import type { Cursors, Member } from '../contract.ts'
import { memberOf } from '../members/member-info.ts'

/** A change of a room's members, as a script announces it. */
export interface RoomChangeMessage {
  kind: 'change'
  version: number
  /** The version before. A receiver with another one has missed a message. */
  base: number
  count: number
  present: Member[]
  left: string[]
  /** Those of `left` that were removed because their instance is dead. */
  swept: ReadonlySet<string>
}

/** A message on the channel of a room. `from` is an instance. */
export type RoomMessage =
  | RoomChangeMessage
  | { kind: 'cursors'; from: string; cursors: Cursors }
  /** An instance requests the newest cursors. */
  | { kind: 'want'; from: string }

const CHANGE = /^c (\d+) (\d+) (\d+)$/
const LINE = /^(?:\+ (?<id>\S+) (?<user>\S*) (?<info>.*)|(?<mark>[-x]) (?<left>\S+))$/s

const invalid = (cause?: unknown): RealtimeError =>
  new RealtimeError('INVALID_MESSAGE', { message: 'Dropped a message about members of a room: it is malformed.', cause })

/** The message that passes cursors on. */
export const cursorsMessage = (from: string, cursors: Cursors): string => `k ${from}\n${JSON.stringify(cursors)}`

/** The message that requests them. */
export const wantMessage = (from: string): string => `w ${from}`

/** Whether the message is one of these two, from this instance. It needs not be parsed. */
export const isOwnMessage = (text: string, instanceId: string): boolean =>
  text.startsWith(`k ${instanceId}\n`) || text === wantMessage(instanceId)

/** Parses a message. Throws `INVALID_MESSAGE`. */
export function parseRoomMessage(text: string): RoomMessage {
  const [head = '', ...lines] = text.split('\n')
  const from = head.slice(2)
  try {
    if (head.startsWith('w ')) return { kind: 'want', from }
    if (!head.startsWith('k ')) return changeOf(head, lines)
    const cursors: unknown = JSON.parse(lines.join('\n'))
    if (isJsonObject(cursors)) return { kind: 'cursors', from, cursors }
  } catch (error) {
    throw invalid(error)
  }
  throw invalid()
}

function changeOf(head: string, lines: readonly string[]): RoomChangeMessage {
  const numbers = CHANGE.exec(head)
  if (numbers === null) throw invalid()
  const change: RoomChangeMessage = {
    kind: 'change',
    ...{ version: Number(numbers[1]), base: Number(numbers[2]), count: Number(numbers[3]) },
    ...{ present: [], left: [], swept: new Set(lines.filter((line) => line.startsWith('x ')).map((line) => line.slice(2))) },
  }
  for (const line of lines) {
    const { id, user = '', info = '', left } = LINE.exec(line)?.groups ?? {}
    if (id !== undefined) change.present.push(memberOf(id, decodeURIComponent(user), info))
    else if (left !== undefined) change.left.push(left)
    else throw invalid()
  }
  return change
}
