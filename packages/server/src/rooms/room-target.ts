import { parseRoom, RealtimeError } from '@tutti/protocol'
import { isJsonObject, type RoomCommand } from '@tutti/protocol/internal'

type OneOrMore = string | readonly string[]

/** Some connections: by their ids, of users, or in rooms. */
export type TargetedConnections = { readonly connection: OneOrMore } | { readonly user: OneOrMore } | { readonly room: OneOrMore }

/** The connections that a call applies to: some, or all of the cluster, with exceptions. */
export type RoomTarget = (TargetedConnections | { readonly all: true }) & {
  readonly except?: TargetedConnections | readonly TargetedConnections[] | undefined
}

const invalid = (problem: string): RealtimeError => new RealtimeError('INVALID_OPTIONS', { message: `Invalid target: ${problem}.` })

const idsOf = (kind: string, value: unknown): string[] => {
  const ids: readonly unknown[] = Array.isArray(value) ? value : [value]
  return ids.map((id) => {
    if (typeof id === 'string' && id !== '') return id
    // An empty user is every connection without a user.
    throw invalid(`a ${kind} must be a text that is not empty`)
  })
}

const READERS: Readonly<Record<string, (value: unknown) => RoomCommand['to']>> = {
  connection: (value) => ({ connections: idsOf('connection', value) }),
  user: (value) => ({ users: idsOf('user', value) }),
  room: (value) => ({ rooms: idsOf('room', value).map(parseRoom) }),
  all: (value) => {
    if (value === true) return { all: true }
    throw invalid('`all` must be true')
  },
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

/** One target, or the union of several. Throws `INVALID_OPTIONS`, `INVALID_ROOM`. */
export function selectionOf(target: unknown): RoomCommand['to'] {
  if (isList(target)) {
    const selections = target.map(selectionOf)
    return {
      connections: selections.flatMap(({ connections = [] }) => connections),
      users: selections.flatMap(({ users = [] }) => users),
      rooms: selections.flatMap(({ rooms = [] }) => rooms),
    }
  }
  const [entry, ...more] = isJsonObject(target) ? Object.entries(target) : []
  const read = entry && Object.hasOwn(READERS, entry[0]) ? READERS[entry[0]] : undefined
  if (entry === undefined || read === undefined || more.length > 0) {
    throw invalid('use one of { connection }, { user }, { room } and { all: true }')
  }
  return read(entry[1])
}

/** A target with its exceptions. Throws like `selectionOf`. */
export function targetOf(target: unknown): Pick<RoomCommand, 'to' | 'except'> {
  const { except, ...to } = isJsonObject(target) ? target : {}
  return { to: selectionOf(to), ...(except !== undefined && { except: selectionOf(except) }) }
}
