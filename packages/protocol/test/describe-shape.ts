import type * as v from 'valibot'
import {
  bytesSchema,
  channelSchema,
  documentSchema,
  keySchema,
  patchSchema,
  patternSchema,
  prefixSchema,
  roomSchema,
  valueSchema,
} from '../src/schemas/values.ts'

/** A schema as JSON: the content of the golden file, with which a change of the protocol is compared. */
export type Shape = string | Shape[] | { [field: string]: Shape }

type Item = v.GenericSchema | v.PipeItem<unknown, unknown, v.BaseIssue<unknown>>

const NAMED = new Map<unknown, string>([
  [bytesSchema, 'bytes'],
  [channelSchema, 'channel'],
  [documentSchema, 'document'],
  [keySchema, 'key'],
  [patchSchema, 'object'],
  [patternSchema, 'channel or pattern'],
  [prefixSchema, 'prefix'],
  [roomSchema, 'room'],
  [valueSchema, 'json'],
])

const isSchema = (value: unknown): value is v.GenericSchema =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema'

/** A schema that is selected by the message: keys or a prefix. */
const isLazy = (schema: v.GenericSchema): schema is v.LazySchema<v.GenericSchema> => schema.type === 'lazy'

/** Describes a schema: objects by field (`?` where optional), arrays by `[item]`, the rest by a word and its conditions. */
export function describeShape(schema: v.GenericSchema): Shape {
  const named = NAMED.get(schema)
  if (named !== undefined) return named
  if ('entries' in schema && typeof schema.entries === 'object' && schema.entries !== null) return fieldsOf(schema.entries)
  if ('item' in schema && isSchema(schema.item)) return [describeShape(schema.item)]
  if ('options' in schema && Array.isArray(schema.options)) return { 'one of': schema.options.filter(isSchema).map(describeShape) }
  if (isLazy(schema)) return { 'one of': [{ keys: [] }, { prefix: '' }].map((message) => describeShape(schema.getter(message))) }
  if (schema.type === 'record' && 'value' in schema && isSchema(schema.value)) return { 'by name': describeShape(schema.value) }
  if ('wrapped' in schema && isSchema(schema.wrapped)) return describeShape(schema.wrapped)
  if ('literal' in schema) return `literal ${String(schema.literal)}`
  if ('pipe' in schema && Array.isArray(schema.pipe)) return (schema.pipe as Item[]).map(wordOf).join(', ')
  return schema.type
}

function fieldsOf(entries: object): Shape {
  const fields = Object.entries(entries).filter((field): field is [string, v.GenericSchema] => isSchema(field[1]))
  return Object.fromEntries(fields.map(([name, field]) => [field.type.endsWith('optional') ? `${name}?` : name, describeShape(field)]))
}

const wordOf = (item: Item): string =>
  'requirement' in item && typeof item.requirement !== 'function' ? `${item.type} ${String(item.requirement)}` : item.type
