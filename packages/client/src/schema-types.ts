import type { Schemas, SchemaValue } from '@tutti/protocol'
import type { StateHandle, StateOptions } from './state/state-contract.ts'

/** Types of keys and channels from one place: `typeof schema` of a `defineSchema`. */
export type SchemaTypes = { readonly state: Schemas } | { readonly events: Schemas }

type TableOf<Types, Part extends 'state' | 'events'> = Types extends { readonly [Name in Part]: infer Table } ? Table : object

/** The types of patterns below a pattern: `chat:*` receives `chat:system:*` as well. */
type Below<Table, Prefix extends string> = {
  [Name in keyof Table & string]: Name extends `${Prefix}${string}` ? SchemaValue<Table, Name> : never
}[keyof Table & string]

/** The data of a channel or pattern, by the schema. */
export type SchemaEventData<Types, Name extends string> = Name extends `${infer Prefix}*`
  ? SchemaValue<TableOf<Types, 'events'>, Name> | Below<TableOf<Types, 'events'>, Prefix>
  : SchemaValue<TableOf<Types, 'events'>, Name>

/** Makes handles whose types the caller names. */
export interface OpenState {
  <T>(key: string, options: StateOptions<T> & { default: T }): StateHandle<T, T>
  <T>(key: string, options?: StateOptions<T>): StateHandle<T>
}

/** Makes handles whose types the schema knows by the key. */
export interface SchemaState<Table> {
  <Key extends string>(
    key: Key,
    options: StateOptions<SchemaValue<Table, Key>> & { default: SchemaValue<Table, Key> },
  ): StateHandle<SchemaValue<Table, Key>, SchemaValue<Table, Key>>
  <Key extends string>(key: Key, options?: StateOptions<SchemaValue<Table, Key>>): StateHandle<SchemaValue<Table, Key>>
}

/** How a client of these types makes handles. */
export type StateOf<Types> = Types extends SchemaTypes ? SchemaState<TableOf<Types, 'state'>> : OpenState
