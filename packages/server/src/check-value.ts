import { RealtimeError, type JsonObject, type JsonValue, type RealtimeSchema } from '@tutti/protocol'
import { ignoreRejection, schemaOf, toError, type SchemaPart } from '@tutti/protocol/internal'

/** Issues that one refusal carries, and how long their messages may be: a schema may have one for each item of a long list. */
const MAX_ISSUES = 20
const MAX_ISSUE_CHARACTERS = 200

/** As in Standard Schema. */
interface Issue {
  readonly message: unknown
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

interface PlainIssue extends JsonObject {
  path: string
  message: string
}

/**
 * Throws `INVALID_VALUE` with the issues if the value does not match the schema of its key, channel, room or message (X6). `room`: the
 * message is sent to this room alone.
 */
export function checkValue(schemas: RealtimeSchema, part: SchemaPart, name: string, value: JsonValue, room?: string): void {
  const schema = schemaOf(schemas, part, name, room)
  if (schema === undefined) return
  const issues = issuesOf(name, () => schema['~standard'].validate(value))
  if (issues !== undefined)
    throw new RealtimeError('INVALID_VALUE', { message: `The value of ${name} does not match its schema: see \`issues\`.`, issues })
}

/** The issues that a schema has with a value, as plain data. What the schema throws becomes an `Error`. */
function issuesOf(name: string, validate: () => unknown): PlainIssue[] | undefined {
  try {
    return plainIssues(name, validate())
  } catch (thrown) {
    throw toError(thrown)
  }
}

function plainIssues(name: string, result: unknown): PlainIssue[] | undefined {
  if (typeof result !== 'object' || result === null) throw new TypeError(`The schema of ${name} returned no result object.`)
  // Between an answer that comes later and the write, the value could change.
  if ('then' in result) {
    ignoreRejection(result)
    throw new TypeError(`The schema of ${name} is asynchronous. Schemas must be synchronous.`)
  }
  if (!('issues' in result) || result.issues === undefined) return undefined
  if (!Array.isArray(result.issues)) throw new TypeError(`The schema of ${name} returned \`issues\` that are not a list.`)
  return result.issues.slice(0, MAX_ISSUES).map(({ path = [], message }: Issue) => ({
    path: path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message: String(message).slice(0, MAX_ISSUE_CHARACTERS),
  }))
}
