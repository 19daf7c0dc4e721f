/** Exactly one of the two. */
interface Bound {
  atLeast?: number
  atMost?: number
}

/** What a figure must reach: as a ratio to the first column of its row, or as a plain value. */
export interface Requirement extends Bound {
  kind: 'ratio' | 'value'
  /** Columns with a bound of their own. */
  columns?: Readonly<Record<string, Bound>>
}

const ratioAtMost = (atMost: number): Requirement => ({ kind: 'ratio', atMost })
const ratioAtLeast = (atLeast: number): Requirement => ({ kind: 'ratio', atLeast })
const valueAtMost = (atMost: number): Requirement => ({ kind: 'value', atMost })

/** Numbered mutations are remembered, which costs a read and a write more in Redis. */
const numbered = (bound: Bound): Pick<Requirement, 'columns'> => ({ columns: { 'Tutti numbered': bound } })

/**
 * The required values, by row and figure. They hold for the columns of Tutti, not for the controls. A figure without an entry
 * is reported.
 */
export const REQUIRED_VALUES: Readonly<Record<string, Readonly<Record<string, Requirement>>>> = {
  writes: {
    'acked writes/s': { ...ratioAtLeast(1), ...numbered({ atLeast: 0.85 }) },
    'server CPU per 1,000 writes, ms': { ...ratioAtMost(1), ...numbered({ atMost: 1.2 }) },
  },
  'closed-loop': {
    'update on the other instance p50, ms': ratioAtMost(1.25),
    'ack p50, ms': ratioAtMost(1.25),
  },
  'fan-out': {
    'server CPU per 1,000 deliveries at 50 writes/s, ms': ratioAtMost(1.2),
    'server CPU per 1,000 deliveries at 10 writes/s, ms': ratioAtMost(1.2),
    'last delivery p50 at 50 writes/s, ms': ratioAtMost(1.3),
    'last delivery p99 at 50 writes/s, ms': ratioAtMost(1.3),
    'highest deliveries/s with p99 ≤ 100 ms': ratioAtLeast(1.2),
  },
  'values-4k': {
    'acked writes/s': ratioAtLeast(0.9),
    'server CPU per 1,000 writes, ms': ratioAtMost(1.2),
  },
  'field-of-100k': {
    'bytes to a subscriber per change': ratioAtMost(0.002),
    'server CPU per change, ms': ratioAtMost(0.5),
  },
  'no-subscriber': {
    'instance / bare subscriber, 0.1 kB': valueAtMost(1.3),
    'instance / bare subscriber, 4 kB': valueAtMost(1.3),
  },
  reconnect: {
    'scripts and reads at Redis': valueAtMost(500),
    'until all are in sync, ms': ratioAtMost(1.3),
  },
  connect: {
    'until all are subscribed, ms': ratioAtMost(2.2),
    'RSS per connection, kB': ratioAtMost(1.7),
  },
  client: {
    'JSON.stringify calls per set': valueAtMost(2),
  },
  repair: {
    'repair of 100 changes of 10,000 keys, ms': valueAtMost(1_000),
    'repair of 10,000 changes of 10,000 keys, ms': valueAtMost(1_000),
  },
  cursors: {
    'server CPU per second, ms': ratioAtMost(0.5),
    'messages per connection and tick': valueAtMost(1),
  },
  'cursors-of-200': {
    'messages per connection and tick': valueAtMost(1),
    'from a move until it is shown p99, ms': valueAtMost(150),
  },
  append: {
    'CPU per 1,000 appends, ms': ratioAtMost(1.3),
  },
  documents: {
    'ack p99, ms': valueAtMost(25),
    'in the database p99, ms': valueAtMost(1_000),
  },
  keystrokes: {
    'shown p95, ms': valueAtMost(100),
  },
  'document-joiners': {
    'CPU of the instance, s': valueAtMost(6),
    'memory of the instance, MB': valueAtMost(150),
  },
  'document-slow-link': {
    'slowest other message, ms': valueAtMost(1_000),
    reconnects: valueAtMost(0),
  },
  'join-storm': {
    'messages per connection and tick': valueAtMost(1),
  },
}

/** The bound that holds for a column. */
export const boundOf = (requirement: Requirement, column: string): Bound => requirement.columns?.[column] ?? requirement

/** Whether a number is within a bound. */
export const meets = ({ atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Bound, number: number): boolean =>
  number >= atLeast && number <= atMost
