import type { SchemaInfo } from '@tutti/protocol'

/**
 * The types of an application: it adds `schema`, the type of its `defineSchema`.
 *
 * @example
 * declare module '@tutti/vue' {
 *   interface RealtimeRegister {
 *     schema: typeof schema
 *   }
 * }
 */
export interface RealtimeRegister {}

type RegisteredSchema = RealtimeRegister extends { schema: infer Schema } ? Schema : object

/** The type of the info of a room's members; `unknown` where no schema matches. */
export type RegisteredInfo<Room extends string> = SchemaInfo<RegisteredSchema, Room>

/** Accepts a room only if no schema matches: its info has the type that its user names. */
export type UnregisteredRoom<Room extends string> = unknown extends RegisteredInfo<Room> ? unknown : never
