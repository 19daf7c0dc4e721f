import type { StandardSchemaV1 } from '@standard-schema/spec'
import { patternsOf } from './channel-match.ts'
import { isJsonObject } from './json.ts'
import { parsePattern } from './names.ts'
import { parseOptions, type OptionRow, type OptionRows } from './options.ts'
import { RealtimeError } from './realtime-error.ts'

/** Schemas by key, channel or pattern (`todos:*`): any that speak Standard Schema, say of Zod, Valibot or ArkType. */
export type Schemas = Readonly<Record<string, StandardSchemaV1>>

/** What values and event data look like (X6). Server and client share it: the one checks by it, the other has its types. */
export interface RealtimeSchema {
  readonly state?: Schemas | undefined
  readonly events?: Schemas | undefined
}

const table: OptionRow<undefined> = ['an object with schemas', isJsonObject, undefined]

const OPTIONS = { state: table, events: table } satisfies OptionRows<RealtimeSchema>

/** The schemas as they are, with their types. Throws `INVALID_OPTIONS` for a pattern that can't be one. */
export function defineSchema<const Schema extends RealtimeSchema>(schema: Schema): Schema {
  parseOptions<RealtimeSchema, typeof OPTIONS>('defineSchema', OPTIONS, schema)
  for (const pattern of [...Object.keys(schema.state ?? {}), ...Object.keys(schema.events ?? {})]) {
    try {
      parsePattern(pattern)
    } catch (cause) {
      throw new RealtimeError('INVALID_OPTIONS', { message: `${pattern} is no pattern of a schema.`, cause })
    }
  }
  return schema
}

/** The schema of a key or channel: that of the most specific pattern which matches it, or `undefined`. */
export function schemaOf(schemas: Schemas | undefined, name: string): StandardSchemaV1 | undefined {
  const pattern = patternsOf(name).findLast((candidate) => Object.hasOwn(schemas ?? {}, candidate))
  return pattern === undefined ? undefined : schemas?.[pattern]
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

/** The type that a table of schemas gives a key or channel; `unknown` where none matches. */
export type SchemaValue<Table, Name extends string> = Name extends keyof Table
  ? ValueOf<Table[Name]>
  : [Matching<Table, Name>] extends [never]
    ? unknown
    : ValueOf<Table[Narrowest<Matching<Table, Name>> & keyof Table]>

// Schemas check and never change a value, so what goes in is what is stored.
type ValueOf<Schema> = Schema extends StandardSchemaV1 ? StandardSchemaV1.InferInput<Schema> : never
