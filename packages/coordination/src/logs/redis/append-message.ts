import { RealtimeError } from '@tutti/protocol'
import type { AppendNotice, LogRecord, NewRecord } from '../log-contract.ts'
import { listOf } from './reply.ts'

// A record is stored as members of a JSON object, in a field whose name is the offset before (without it: this offset - 1) and its id
// as JSON. The appends of a command to one log are published together: {"log","epoch","previous"}, then for each one its offset (empty:
// the one before + 1) and the record as it is stored, without `data` where that is too long. A separator is between all of these.

/** No JSON has this character. */
export const RECORD_SEPARATOR = '\u001E'

type Content = Omit<NewRecord, 'id'>

/** A record as it is stored. */
export const storedText = ({ json, author, includeSelf }: Content): string => {
  const self = includeSelf === true ? '"self":true,' : ''
  return author === undefined ? `${self}"data":${json}` : `"author":${JSON.stringify(author)},${self}"data":${json}`
}

const PLAIN = /^[\w:.-]+$/

/** An id as JSON. Most have nothing to escape. */
export const idText = (id: string): string => (PLAIN.test(id) ? `"${id}"` : JSON.stringify(id))

const STORED = /^(?:"author":("(?:[^"\\]|\\.)*"),)?("self":true,)?"data":/

/** The content of a stored record; that of another program is `null`. */
export function contentOf(text: string): Content {
  const match = STORED.exec(text)
  if (match === null) return { json: 'null' }
  const [head, author, self] = match
  return { json: text.slice(head.length), ...membersOf(author, self) }
}

const membersOf = (author: string | undefined, self: string | undefined): Omit<Content, 'json'> => ({
  ...(author === undefined ? {} : { author: parseText(author) }),
  ...(self === undefined ? {} : { includeSelf: true }),
})

const START = /^\{"log":"([^"\\]*)","epoch":(\d{1,16}),"previous":(\d{1,16})\}$/
const RECORD = /^(?:"author":("(?:[^"\\]|\\.)*"),)?("self":true,)?("data":|$)/
const OFFSET = /^\d{0,16}$/
/** Matches no pattern. */
const NO_RECORD = RECORD_SEPARATOR

/** The notifications in a message; throws `INVALID_MESSAGE` for anything else. The data is passed on as text. */
export function parseAppendMessage(message: string): AppendNotice[] {
  const parts = message.split(RECORD_SEPARATOR)
  const [, log = '', epoch, before] = matchOf(START, parts[0])
  const notices: AppendNotice[] = []
  let previous = Number(before)
  for (let place = 1; place < parts.length; place += 2) {
    const [number] = matchOf(OFFSET, parts[place])
    const text = parts[place + 1] ?? NO_RECORD
    const [head, author, self, data] = matchOf(RECORD, text)
    const offset = number === '' ? previous + 1 : Number(number)
    notices.push({
      ...{ log, epoch: Number(epoch), offset, previous },
      ...membersOf(author, self),
      ...(data === '' ? {} : { json: text.slice(head.length) }),
    })
    previous = offset
  }
  return notices
}

function matchOf(pattern: RegExp, text: string | undefined): RegExpExecArray {
  const match = text === undefined ? null : pattern.exec(text)
  if (match !== null) return match
  throw new RealtimeError('INVALID_MESSAGE', { message: 'Dropped a message about durable channels: it is malformed.' })
}

function parseText(json: string): string {
  const value: unknown = JSON.parse(json)
  return String(value)
}

const NAME = /^(\d*)(".*")?$/

/** A record from a row that XRANGE returned. */
function recordOf(row: unknown): LogRecord {
  const [place, fields] = listOf(row)
  const offset = Number.parseInt(String(place), 10)
  const [name, content] = listOf(fields).map(String)
  const [, previous, id] = NAME.exec(name ?? '') ?? []
  return {
    ...{ offset, previous: previous === '' ? offset - 1 : Number(previous) },
    ...contentOf(content ?? ''),
    ...(id === undefined ? {} : { id: parseText(id) }),
  }
}

/** Records from a list of rows. */
export const recordsOf = (rows: unknown): LogRecord[] => listOf(rows).map(recordOf)
