import { RealtimeError } from '@tutti/protocol'
import type { AppendNotice, LogRecord, NewRecord } from '../log-contract.ts'
import { listOf } from './reply.ts'

// A record is stored as members of a JSON object, in a field whose name is the offset before; its id is in a second field. The appends
// of a command to one log are published together: {"log","epoch","previous"}, then for each one the separator, the offset and the
// record as it is stored, without `data` where that is too long.

/** No JSON has this character. */
export const RECORD_SEPARATOR = '\u001E'

type Content = Omit<NewRecord, 'id'>

/** A record as it is stored. */
export const storedText = ({ json, author, includeSelf }: Content): string => {
  const self = includeSelf === true ? '"self":true,' : ''
  return author === undefined ? `${self}"data":${json}` : `"author":${JSON.stringify(author)},${self}"data":${json}`
}

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
const RECORD = /^(\d{1,16})(?:"author":("(?:[^"\\]|\\.)*"),)?("self":true,)?("data":|$)/

/** The notifications in a message; throws `INVALID_MESSAGE` for anything else. The data is passed on as text. */
export function parseAppendMessage(message: string): AppendNotice[] {
  const [start = '', ...records] = message.split(RECORD_SEPARATOR)
  const [, log = '', epoch, before] = matchOf(START, start)
  let previous = Number(before)
  return records.map((text) => {
    const [head, offset, author, self, data] = matchOf(RECORD, text)
    const notice = {
      ...{ log, epoch: Number(epoch), offset: Number(offset), previous },
      ...membersOf(author, self),
      ...(data === '' ? {} : { json: text.slice(head.length) }),
    }
    previous = notice.offset
    return notice
  })
}

function matchOf(pattern: RegExp, text: string): RegExpExecArray {
  const match = pattern.exec(text)
  if (match !== null) return match
  throw new RealtimeError('INVALID_MESSAGE', { message: 'Dropped a message about durable channels: it is malformed.' })
}

function parseText(json: string): string {
  const value: unknown = JSON.parse(json)
  return String(value)
}

/** A record from a row that XRANGE returned. */
function recordOf(row: unknown): LogRecord {
  const [offset, fields] = listOf(row)
  const [previous, content, , id] = listOf(fields).map(String)
  return {
    ...{ offset: Number.parseInt(String(offset), 10), previous: Number(previous) },
    ...contentOf(content ?? ''),
    ...(id === undefined ? {} : { id: parseText(id) }),
  }
}

/** Records from a list of rows. */
export const recordsOf = (rows: unknown): LogRecord[] => listOf(rows).map(recordOf)
