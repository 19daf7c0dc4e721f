import { RealtimeError } from '@tutti/protocol'
import type { AppendNotice, LogRecord, NewRecord } from '../log-contract.ts'
import { fieldsOf, listOf } from './reply.ts'

// An append as the script publishes it, with its fields in this order:
// {"origin","log","author"?,"self"?,"epoch","offset","previous","data"?}

/** The middle of the message, which the instance knows before the script runs. */
export const messageHead = (log: string, { author, includeSelf }: NewRecord): string =>
  [
    `"log":${JSON.stringify(log)},`,
    author === undefined ? '' : `"author":${JSON.stringify(author)},`,
    includeSelf === true ? '"self":true,' : '',
  ].join('')

const MESSAGE =
  /^\{"origin":"[^"\\]*","log":("[^"\\]*"),(?:"author":("(?:[^"\\]|\\.)*"),)?("self":true,)?"epoch":(\d{1,16}),"offset":(\d{1,16}),"previous":(\d{1,16})(?:,"data":|\}$)/

/** The notification in a message; throws `INVALID_MESSAGE` for anything else. The data is passed on as text. */
export function parseAppendMessage(text: string): AppendNotice {
  const match = MESSAGE.exec(text)
  if (match === null || !text.endsWith('}')) {
    throw new RealtimeError('INVALID_MESSAGE', { message: 'A message about durable channels is no append.' })
  }
  const [head, log = '""', author, self, epoch, offset, previous] = match
  return {
    log: parseText(log),
    ...(author === undefined ? {} : { author: parseText(author) }),
    ...(self === undefined ? {} : { includeSelf: true }),
    ...{ epoch: Number(epoch), offset: Number(offset), previous: Number(previous) },
    ...(head.endsWith('}') ? {} : { json: text.slice(head.length, -1) }),
  }
}

function parseText(json: string): string {
  const value: unknown = JSON.parse(json)
  return String(value)
}

/** A record from a row that XRANGE returned. */
function recordOf(row: unknown): LogRecord {
  const { id, fields } = fieldsOf(row)
  const [author, recordId] = [fields.get('a'), fields.get('i')]
  return {
    offset: Number.parseInt(id, 10),
    previous: Number(fields.get('p')),
    json: fields.get('d') ?? 'null',
    ...(author === undefined ? {} : { author }),
    ...(fields.has('s') ? { includeSelf: true } : {}),
    ...(recordId === undefined ? {} : { id: recordId }),
  }
}

/** Records from a list of rows. */
export const recordsOf = (rows: unknown): LogRecord[] => listOf(rows).map(recordOf)
