import type { SchemaValue } from './define-schema.ts'

type TableOf<Schema, Part extends string> = Schema extends { readonly [Name in Part]: infer Table } ? Table : object

/** The schemas of presence in the rows of `rooms`. */
type RoomInfos<Rooms> = {
  [Room in keyof Rooms as Rooms[Room] extends { readonly presence: object } ? Room : never]: Rooms[Room] extends {
    readonly presence: infer Info
  }
    ? Info
    : never
}

/** The type of the info of a room's members, by `rooms` or `presence` of the schema; `unknown` if no pattern matches. */
export type SchemaInfo<Schema, Room extends string> =
  unknown extends SchemaValue<RoomInfos<TableOf<Schema, 'rooms'>>, Room>
    ? SchemaValue<TableOf<Schema, 'presence'>, Room>
    : SchemaValue<RoomInfos<TableOf<Schema, 'rooms'>>, Room>

/** The types of patterns below a pattern: `chat:*` receives `chat:system:*` as well. */
type Below<Table, Prefix extends string> = {
  [Name in keyof Table & string]: Name extends `${Prefix}${string}` ? SchemaValue<Table, Name> : never
}[keyof Table & string]

/** The type of a message of server code, by its name or a pattern; `unknown` if no pattern matches. */
export type SchemaMessage<Schema, Name extends string> = Name extends `${infer Prefix}*`
  ? SchemaValue<TableOf<Schema, 'messages'>, Name> | Below<TableOf<Schema, 'messages'>, Prefix>
  : SchemaValue<TableOf<Schema, 'messages'>, Name>
