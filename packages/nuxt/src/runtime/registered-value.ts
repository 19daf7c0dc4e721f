import type { SchemaInfo, SchemaMessage, SchemaValue } from '@tutti/protocol'
import type { RegisteredSchema } from './register'

type Table<Part extends 'state' | 'events'> = RegisteredSchema extends { readonly [Name in Part]: infer Schemas } ? Schemas : object

/** The type of a key by `shared/realtime.ts`; `unknown` where no schema matches. */
export type RegisteredValue<Key extends string> = SchemaValue<Table<'state'>, Key>

/** The type of the data of a channel; `unknown` where no schema matches. */
export type RegisteredEvent<Channel extends string> = SchemaValue<Table<'events'>, Channel>

/** The type of the info of a room's members; `unknown` where no schema matches. */
export type RegisteredInfo<Room extends string> = SchemaInfo<RegisteredSchema, Room>

/** The type of a message of server code, by name or pattern; `unknown` where no schema matches. */
export type RegisteredMessage<Name extends string> = SchemaMessage<RegisteredSchema, Name>

/** Accepts a key only if no schema matches: such a key has the type that its user names. */
export type Unregistered<Key extends string> = unknown extends RegisteredValue<Key> ? unknown : never
