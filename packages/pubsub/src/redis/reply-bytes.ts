/** The positions of the last two bulk strings of a reply. For a message, these are its channel and its text. */
export interface BulkStrings {
  previousStart: number
  previousEnd: number
  lastStart: number
  lastEnd: number
}

const code = (character: string): number => character.charCodeAt(0)

const CR = code('\r')
const MINUS = code('-')
const MAP = code('%')

/** What follows the first byte of a reply, in versions 2 and 3 of Redis' protocol: a line; a line and bytes; a line and replies. */
const [UNKNOWN, LINE, BULK, LIST] = [0, 1, 2, 3]
const KINDS = new Uint8Array(256)
for (const type of '+-:_#,(') KINDS[code(type)] = LINE
for (const type of '$!=') KINDS[code(type)] = BULK
for (const type of '*~>%') KINDS[code(type)] = LIST

/**
 * The position behind the reply that starts at `at`. If the reply is not complete, it is greater than the length of `bytes`:
 * at least so many bytes are required. `NaN` if the type of the reply, or of a reply in it, is not known.
 */
export function endOfReply(bytes: Buffer, at: number, bulks: BulkStrings): number {
  const type = bytes[at] ?? 0
  let lineEnd = at + 1
  while (lineEnd < bytes.length && bytes[lineEnd] !== CR) lineEnd += 1
  const start = lineEnd + 2
  if (start > bytes.length) return bytes.length + 1
  const kind = KINDS[type]
  if (kind === UNKNOWN) return Number.NaN
  if (kind === LINE) return start
  const size = numberIn(bytes, at + 1, lineEnd)
  if (kind === BULK) return size < 0 ? start : endOfBulk(start, size, bulks)
  let end = start
  for (let left = type === MAP ? 2 * size : size; left > 0 && end <= bytes.length; left -= 1) end = endOfReply(bytes, end, bulks)
  return end
}

function endOfBulk(start: number, size: number, bulks: BulkStrings): number {
  bulks.previousStart = bulks.lastStart
  bulks.previousEnd = bulks.lastEnd
  bulks.lastStart = start
  bulks.lastEnd = start + size
  return start + size + 2
}

function numberIn(bytes: Buffer, from: number, to: number): number {
  const isNegative = bytes[from] === MINUS
  let number = 0
  for (let at = isNegative ? from + 1 : from; at < to; at += 1) number = number * 10 + (bytes[at] ?? 0) - 48
  return isNegative ? -number : number
}

/** How a message of a subscription to a channel begins. As a push of version 3, it has another first byte. */
const MESSAGE = Buffer.from('3\r\n$7\r\nmessage\r\n$')

/** Whether the complete reply at this position is a message of a subscription to a channel. */
export const isMessage = (bytes: Buffer, at: number): boolean => hasBytes(bytes, at + 1, MESSAGE)

/** Whether these bytes are at this position. For few bytes, a loop takes less time than a call of `Buffer`. */
export function hasBytes(bytes: Buffer, at: number, expected: Buffer): boolean {
  for (let index = 0; index < expected.length; index += 1) if (bytes[at + index] !== expected[index]) return false
  return true
}
