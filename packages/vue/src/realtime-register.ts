import type { RealtimeSchema, SchemaInfo, SchemaMessage, SchemaValue } from '@tutti/protocol'

/**
 * The types of an application: it adds `schema`, the type of its `defineSchema`. The composables then have its types without generics.
 *
 * @example
 * declare module '@tutti/vue' {
 *   interface RealtimeRegister {
 *     schema: typeof schema
 *   }
 * }
 */
export interface RealtimeRegister {}

/** The registered schema; an empty one where there is none. */
export type RegisteredSchema = RealtimeRegister extends { schema: infer Schema extends RealtimeSchema } ? Schema : object

type Table<Part extends 'state' | 'events'> = RegisteredSchema extends { readonly [Name in Part]: infer Schemas } ? Schemas : object

/** The type of the value of a key; `unknown` where no registered schema matches. */
export type RegisteredValue<Key extends string> = SchemaValue<Table<'state'>, Key>

/** The type of the data of a channel; `unknown` where no registered schema matches. */
export type RegisteredEvent<Channel extends string> = SchemaValue<Table<'events'>, Channel>

/** The type of the info of a room's members; `unknown` where no registered schema matches. */
export type RegisteredInfo<Room extends string> = SchemaInfo<RegisteredSchema, Room>

/** The type of a message of server code, by name or pattern; `unknown` where no registered schema matches. */
export type RegisteredMessage<Name extends string> = SchemaMessage<RegisteredSchema, Name>

/** The type that the caller named; otherwise the registered one. */
export type NamedOr<Named, Registered> = [Named] extends [never] ? Registered : Named

/** Accepts a name only if its registered type is `unknown`: the type is then that of another argument. */
export type Unregistered<Registered> = unknown extends Registered ? unknown : never
