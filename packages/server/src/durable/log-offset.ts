import type { LogPosition } from '@tutti/coordination/logs'

// A position on the wire: `<epoch>-<offset>`, both to the base 36.

/** One number of a position. */
export const numberText = (number: number): string => number.toString(36)

/** A position as clients receive it. */
export const offsetText = ({ epoch, offset }: LogPosition): string => `${numberText(epoch)}-${numberText(offset)}`

/** The position in a text that has passed the schema of messages. */
export function parseOffset(text: string): LogPosition {
  const [epoch = 0, offset = 0] = text.split('-').map((part) => Number.parseInt(part, 36))
  return { epoch, offset }
}

/** Whether two positions are the same. */
export const isSamePosition = (a: LogPosition, b: LogPosition): boolean => a.epoch === b.epoch && a.offset === b.offset
