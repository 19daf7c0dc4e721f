import type { StandardSchemaV1 } from '@standard-schema/spec'
import { patternsOf } from './channel-match.ts'
import { isJsonObject } from './json.ts'
import { parsePattern } from './names.ts'
import { parseOptions, type OptionRow, type OptionRows } from './options.ts'
import { RealtimeError } from './realtime-error.ts'
import { splitRoomKey } from './room-names.ts'

/**
 * Schemas by key, channel or pattern (`todos:*`), from any library that implements Standard Schema, such as Zod, Valibot or
 * ArkType.
 */
export type Schemas = Readonly<Record<string, StandardSchemaV1>>

/** The shapes of what belongs to one room. */
export interface RoomSchemas {
  /** Values, by key or pattern within the room: `title`, `todos:*`. */
  readonly state?: Schemas | undefined
  /** Event data, by channel or pattern within the room. */
  readonly events?: Schemas | undefined
  /** Info of presence. */
  readonly presence?: StandardSchemaV1 | undefined
  /** Messages to the room, by name or pattern of names. */
  readonly messages?: Schemas | undefined
  /** Info of locks, by key or pattern within the room. */
  readonly locks?: Schemas | undefined
}

/**
 * The shapes of values and event data. Server and client share it: the server validates with it, the client uses its
 * types.
 */
export interface RealtimeSchema {
  readonly state?: Schemas | undefined
  readonly events?: Schemas | undefined
  /** Info of presence, by room or pattern of rooms (`doc:*`). */
  readonly presence?: Schemas | undefined
  /** Messages of server code, by name or pattern of names. */
  readonly messages?: Schemas | undefined
  /** What belongs to rooms, by room or pattern of rooms. Its schemas take precedence over those above. */
  readonly rooms?: Readonly<Record<string, RoomSchemas>> | undefined
  /** Info of locks, by key or pattern. */
  readonly locks?: Schemas | undefined
}

/** What a schema describes. */
export type SchemaPart = Exclude<keyof RealtimeSchema, 'rooms'>

const table: OptionRow<undefined> = ['an object with schemas', isJsonObject, undefined]

const OPTIONS = {
  state: table,
  events: table,
  presence: table,
  messages: table,
  locks: table,
  rooms: table,
} satisfies OptionRows<RealtimeSchema>

const ROOM: OptionRows<RoomSchemas> = {
  ...{ state: table, events: table, messages: table, locks: table },
  presence: ['a schema', (value) => value !== null && (typeof value === 'object' || typeof value === 'function'), undefined],
}

/**
 * Returns the schemas unchanged, with their types.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS` for an invalid pattern.
 *
 * @example
 * const schema = defineSchema({ state: { count: v.number(), 'todos:*': todo }, events: { 'chat:*': message } })
 */
export function defineSchema<const Schema extends RealtimeSchema>(schema: Schema): Schema {
  const { rooms, ...tables } = parseOptions<RealtimeSchema, typeof OPTIONS>('defineSchema', OPTIONS, schema)
  const rows = Object.entries(rooms ?? {})
  for (const [pattern, room] of rows) parseOptions(`The schemas of room ${pattern}`, ROOM, room)
  const all = [
    rooms,
    ...Object.values(tables),
    ...rows.flatMap(([, { state, events, messages, locks }]) => [state, events, messages, locks]),
  ]
  for (const pattern of all.flatMap((known) => Object.keys(known ?? {}))) {
    try {
      parsePattern(pattern)
    } catch (cause) {
      throw new RealtimeError('INVALID_OPTIONS', {
        message: `Invalid schema pattern ${JSON.stringify(pattern)}: use a name, name:* or *.`,
        cause,
      })
    }
  }
  return schema
}

/**
 * The schema of a key, a channel, the presence of a room, or a message: that of the most specific matching pattern, or `undefined`. `room`:
 * the message is sent to this room alone.
 */
export function schemaOf(schema: RealtimeSchema, part: SchemaPart, name: string, room?: string): StandardSchemaV1 | undefined {
  return roomSchemaOf(schema, part, name, room) ?? matching(schema[part], name)
}

function roomSchemaOf({ rooms }: RealtimeSchema, part: SchemaPart, name: string, room?: string): StandardSchemaV1 | undefined {
  if (rooms === undefined) return undefined
  if (part === 'presence') return matching(rooms, name)?.presence
  const split = part === 'messages' ? room && { room, key: name } : splitRoomKey(name)
  return split ? matching(matching(rooms, split.room)?.[part], split.key) : undefined
}

/** The value of the most specific pattern that matches the name. */
function matching<Value>(table: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  const pattern = patternsOf(name).findLast((candidate) => Object.hasOwn(table ?? {}, candidate))
  return pattern === undefined ? undefined : table?.[pattern]
}

type PrefixOf<Pattern extends string> = Pattern extends `${infer Prefix}*` ? Prefix : never

type Matching<Table, Name extends string> = {
  [Pattern in keyof Table & string]: Pattern extends `${infer Prefix}*` ? (Name extends `${Prefix}${string}` ? Pattern : never) : never
}[keyof Table & string]

type Narrowest<All extends string, Pattern extends string = All> = Pattern extends unknown
  ? [Extract<Exclude<All, Pattern>, `${PrefixOf<Pattern>}${string}`>] extends [never]
    ? Pattern
    : never
  : never

/** The type of a key or channel in a table of schemas; `unknown` if no pattern matches. */
export type SchemaValue<Table, Name extends string> = Name extends keyof Table
  ? ValueOf<Table[Name]>
  : [Matching<Table, Name>] extends [never]
    ? unknown
    : ValueOf<Table[Narrowest<Matching<Table, Name>> & keyof Table]>

// Schemas validate and never change a value, so the input type is the stored type.
type ValueOf<Schema> = Schema extends StandardSchemaV1 ? StandardSchemaV1.InferInput<Schema> : never
