const OFFSET = /^[\da-z]{1,11}-[\da-z]{1,11}$/

/** Whether a value has the form of an offset. */
export const isOffset = (value: unknown): value is string => typeof value === 'string' && OFFSET.test(value)

/** Negative where the first offset is before the second one, 0 where they are equal. A later lifetime of the log comes after. */
export function compareOffsets(a: string, b: string): number {
  const [[epochA = 0, offsetA = 0], [epochB = 0, offsetB = 0]] = [numbersOf(a), numbersOf(b)]
  return epochA - epochB || offsetA - offsetB
}

const numbersOf = (offset: string): number[] => offset.split('-').map((part) => Number.parseInt(part, 36))
