import type { StandardSchemaV1 } from '@standard-schema/spec'
import { patternsOf } from './channel-match.ts'
import { isJsonObject } from './json.ts'
import { parsePattern } from './names.ts'
import { parseOptions, type OptionRow, type OptionRows } from './options.ts'
import { RealtimeError } from './realtime-error.ts'

/**
 * Schemas by key, channel or pattern (`todos:*`), from any library that implements Standard Schema, such as Zod, Valibot or
 * ArkType.
 */
export type Schemas = Readonly<Record<string, StandardSchemaV1>>

/**
 * The shapes of values and event data. Server and client share it: the server validates with it, the client uses its
 * types.
 */
export interface RealtimeSchema {
  readonly state?: Schemas | undefined
  readonly events?: Schemas | undefined
  /** Info of presence, by room or pattern of rooms (`doc:*`). */
  readonly presence?: Schemas | undefined
}

const table: OptionRow<undefined> = ['an object with schemas', isJsonObject, undefined]

const OPTIONS = { state: table, events: table, presence: table } satisfies OptionRows<RealtimeSchema>

/**
 * Returns the schemas unchanged, with their types.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS` for an invalid pattern.
 *
 * @example
 * const schema = defineSchema({ state: { count: v.number(), 'todos:*': todo }, events: { 'chat:*': message } })
 */
export function defineSchema<const Schema extends RealtimeSchema>(schema: Schema): Schema {
  parseOptions<RealtimeSchema, typeof OPTIONS>('defineSchema', OPTIONS, schema)
  for (const pattern of [schema.state, schema.events, schema.presence].flatMap((table) => Object.keys(table ?? {}))) {
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

/** The schema of a key or channel: that of the most specific matching pattern, or `undefined`. */
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

/** The type of a key or channel in a table of schemas; `unknown` if no pattern matches. */
export type SchemaValue<Table, Name extends string> = Name extends keyof Table
  ? ValueOf<Table[Name]>
  : [Matching<Table, Name>] extends [never]
    ? unknown
    : ValueOf<Table[Narrowest<Matching<Table, Name>> & keyof Table]>

// Schemas validate and never change a value, so the input type is the stored type.
type ValueOf<Schema> = Schema extends StandardSchemaV1 ? StandardSchemaV1.InferInput<Schema> : never
