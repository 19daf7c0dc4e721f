/** What a figure must reach: as a ratio to the first column of its row, or as a plain value. */
export interface Requirement {
  kind: 'ratio' | 'value'
  /** Exactly one of the two. */
  atLeast?: number
  atMost?: number
}

const ratioAtMost = (atMost: number): Requirement => ({ kind: 'ratio', atMost })
const ratioAtLeast = (atLeast: number): Requirement => ({ kind: 'ratio', atLeast })
const valueAtMost = (atMost: number): Requirement => ({ kind: 'value', atMost })

/**
 * The required values, by row and figure. They hold for the columns of Tutti, not for the controls. A figure without an entry
 * is reported.
 */
export const REQUIRED_VALUES: Readonly<Record<string, Readonly<Record<string, Requirement>>>> = {
  writes: {
    'acked writes/s': ratioAtLeast(0.9),
    'server CPU per 1,000 writes, ms': ratioAtMost(1.2),
    'ack p50, ms': ratioAtMost(1.15),
  },
  'closed-loop': {
    'update on the other instance p50, ms': ratioAtMost(1.15),
    'ack p50, ms': ratioAtMost(1.15),
  },
  'fan-out': {
    'server CPU per 1,000 deliveries at 50 writes/s, ms': ratioAtMost(1.2),
    'server CPU per 1,000 deliveries at 10 writes/s, ms': ratioAtMost(1.2),
  },
  connect: {
    'until all are subscribed, ms': ratioAtMost(1.8),
    'RSS per connection, kB': ratioAtMost(1.6),
  },
  client: {
    'JSON.stringify calls per set': valueAtMost(2),
  },
  repair: {
    'repair of 100 changes of 10,000 keys, ms': valueAtMost(1_000),
    'repair of 10,000 changes of 10,000 keys, ms': valueAtMost(1_000),
  },
}

/** Whether a number meets a requirement. */
export const meets = ({ atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Requirement, number: number): boolean =>
  number >= atLeast && number <= atMost
