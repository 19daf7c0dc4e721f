import { RealtimeError } from '@tutti/protocol'
import type { LogPosition, LogRecord, Logs } from '../../logs/log-contract.ts'
import type { LogOptions } from '../../logs/log-options.ts'

/** Two instances that share their logs; `other` may be the same object. */
export interface LogInstances {
  readonly logs: Logs
  readonly other: Logs
}

/** An implementation of `Logs` under test. */
export interface LogsUnderTest {
  /** Opens the logs of a pattern on both instances. The caller closes them. */
  open(options: LogOptions): LogInstances
  dispose(): Promise<void>
}

/** The implementation, once it is there. */
export type UseLogs = () => LogsUnderTest

let patterns = 0

/** Runs a test with logs of a pattern of its own. */
export async function withLogs(
  use: UseLogs,
  options: Omit<LogOptions, 'pattern'>,
  run: (instances: LogInstances, channel: (name: string) => string) => Promise<void>,
): Promise<void> {
  patterns += 1
  const prefix = `logs-${Date.now().toString(36)}-${patterns}`
  const instances = use().open({ pattern: `${prefix}:*`, ...options })
  try {
    await run(instances, (name) => `${prefix}:${name}`)
  } finally {
    await Promise.all([instances.logs.close(), instances.other.close()])
  }
}

/** All records after a position, page by page. Rejects where a page has a gap. */
export async function readAll(logs: Logs, name: string, after?: LogPosition): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  for (let position = after; ;) {
    const { epoch, records, last, hasGap } = await logs.read(name, position)
    if (hasGap) throw new RealtimeError('GAP', { message: `A gap after ${JSON.stringify(position)}.` })
    found.push(...records)
    const end = records.at(-1)
    if (end === undefined || end.offset === last) return found
    position = { epoch, offset: end.offset }
  }
}

/** Appends numbers as data, one after the other. */
export async function appendNumbers(logs: Logs, name: string, count: number, from = 0): Promise<LogPosition[]> {
  const positions: LogPosition[] = []
  for (let number = from; number < from + count; number += 1) positions.push(await logs.append(name, { json: String(number) }))
  return positions
}

/** The data of records that contain numbers. */
export const numbersOf = (records: readonly { json: string }[]): number[] => records.map(({ json }) => Number(json))
