import type { SchemaValue } from '@tutti/protocol'
import type { RegisteredSchema } from './register'

type Table = RegisteredSchema extends { state: infer State } ? State : object

/** The type of a key by `shared/realtime.ts`; `unknown` where no schema matches. */
export type RegisteredValue<Key extends string> = SchemaValue<Table, Key>

/** Accepts a key only if no schema matches: such a key has the type that its user names. */
export type Unregistered<Key extends string> = unknown extends RegisteredValue<Key> ? unknown : never
