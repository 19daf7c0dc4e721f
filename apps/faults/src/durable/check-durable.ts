import type { DurableHistory, SeenItem } from './durable-history.ts'

/** The rules of a run. */
export const DURABLE_RULES = {
  lost: 'a subscriber has neither an acknowledged event nor a gap in its place',
  twice: 'an event was delivered twice, or appended twice',
  order: 'events were delivered in another order than that of the log',
  publisher: 'the events of one publisher are not in its order in the log',
  unsettled: 'a publish has no outcome, or was refused',
} as const

/** A violation of a rule. */
export interface DurableViolation {
  readonly rule: keyof typeof DURABLE_RULES
  readonly message: string
}

/** The result of a check. */
export interface DurableCheck {
  readonly violations: readonly DurableViolation[]
  readonly acknowledged: number
  readonly gaps: number
}

/** Checks what publishers and subscribers recorded, once every publish has an outcome and every subscriber has the last event. */
export function checkDurable({ published, seen, unsettled }: DurableHistory): DurableCheck {
  const violations: DurableViolation[] = unsettled.map((message) => ({ rule: 'unsettled', message }))
  const byOffset = [...published].sort((a, b) => a.offset - b.offset)
  const last = new Map<string, number>()
  const offsets = new Map<number, string>()
  for (const { publisher, number, offset } of byOffset) {
    const known = offsets.get(offset)
    if (known !== undefined) violations.push({ rule: 'twice', message: `offset ${offset} has ${known} and ${publisher} ${number}` })
    offsets.set(offset, `${publisher} ${number}`)
    if (number <= (last.get(publisher) ?? -1)) violations.push({ rule: 'publisher', message: `${publisher} ${number} is at ${offset}` })
    last.set(publisher, number)
  }
  for (const { subscriber, items } of seen) {
    let place = 0
    for (const violation of checkItems(items)) violations.push({ ...violation, message: `${subscriber}: ${violation.message}` })
    for (const { publisher, number, offset } of byOffset) {
      while (place < items.length && endOf(items[place]) < offset) place += 1
      const item = items[place]
      const isCovered = item !== undefined && ('gap' in item ? item.gap[0] < offset : item.offset === offset)
      if (!isCovered) violations.push({ rule: 'lost', message: `${subscriber} has no ${publisher} ${number} at ${offset}` })
    }
  }
  const gaps = seen.flatMap(({ items }) => items.filter((item) => 'gap' in item)).length
  return { violations, acknowledged: published.length, gaps }
}

const endOf = (item: SeenItem | undefined): number => (item === undefined ? Infinity : 'gap' in item ? item.gap[1] : item.offset)

function checkItems(items: readonly SeenItem[]): DurableViolation[] {
  const violations: DurableViolation[] = []
  const names = new Set<string>()
  let last = 0
  for (const item of items) {
    const end = endOf(item)
    if ('gap' in item) {
      last = Math.max(last, end)
      continue
    }
    const name = `${item.publisher} ${item.number}`
    if (names.has(name)) violations.push({ rule: 'twice', message: `${name} at ${end} was received twice` })
    else if (end <= last) violations.push({ rule: 'order', message: `${name} at ${end} was received after ${last}` })
    names.add(name)
    last = Math.max(last, end)
  }
  return violations
}
