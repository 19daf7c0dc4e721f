import { RealtimeError, schemaOf, type JsonValue, type Schemas } from '@tutti/protocol'

/** Issues that one refusal carries, and how long their messages may be: a schema may have one for each item of a long list. */
const MAX_ISSUES = 20
const MAX_ISSUE_CHARACTERS = 200

/** Throws `INVALID_VALUE` with the issues where the value is not what the schema of its key or channel asks for (X6). */
export function checkValue(schemas: Schemas | undefined, name: string, value: JsonValue): void {
  const result = schemaOf(schemas, name)?.['~standard'].validate(value)
  if (result === undefined) return
  // Between an answer that comes later and the write, the value could change.
  if (result instanceof Promise) throw new TypeError(`The schema of ${name} is asynchronous. Schemas must answer at once.`)
  if (result.issues === undefined) return
  const issues = result.issues.slice(0, MAX_ISSUES).map(({ path = [], message }) => ({
    path: path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message: message.slice(0, MAX_ISSUE_CHARACTERS),
  }))
  throw new RealtimeError('INVALID_VALUE', { message: 'The value is not what its schema asks for.', issues })
}
