import type { LogErrorContext, LogLimits, Logs } from '@tutti/coordination/logs'
import { RealtimeError } from '@tutti/protocol'
import { isJsonObject, isPattern, isSubscribable, patternsOf, type OptionRow } from '@tutti/protocol/internal'
import type { ServerErrorListener } from '../feature.ts'

/**
 * Durable channels, by channel or pattern: `{ 'chat:*': { maxRecords: 1000 } }`. Where several match, the narrowest one counts. A row
 * is limits, or `Logs` that the application made and closes.
 */
export type DurableOptions = Readonly<Record<string, LogLimits | Logs>>

/** Makes the logs of a row from its limits; `undefined` where that is not possible. */
export type CreateLogs = (
  pattern: string,
  limits: LogLimits,
  onError: (error: unknown, context: LogErrorContext) => void,
) => Logs | undefined

const NONE: DurableOptions = {}

/** The row of the option `durable`. */
export const DURABLE: OptionRow<DurableOptions> = [
  'an object whose names are channels or patterns, with limits or logs',
  (value) => isJsonObject(value) && Object.entries(value).every(([pattern, row]) => isSubscribable(pattern) && isJsonObject(row)),
  NONE,
]

/** The logs of all rows. */
export interface DurableLogs {
  readonly rows: readonly Logs[]
  /** The narrowest row that includes a channel, or all channels of a pattern. */
  rowOf(name: string): Logs | undefined
  /** Closes the logs that were made here. */
  close(): Promise<void>
}

/** Makes the logs. Throws `INVALID_OPTIONS`. */
export function createDurableLogs(durable: DurableOptions, create: CreateLogs, onError: ServerErrorListener): DurableLogs {
  const made: Logs[] = []
  const report = (error: unknown, { subject }: LogErrorContext): void => onError(error, { stage: 'durable', subject })
  const rows = Object.entries(durable).map(([pattern, row]) => {
    if (isLogs(row)) return row
    const logs = create(pattern, row, report)
    if (logs === undefined) {
      throw new RealtimeError('INVALID_OPTIONS', {
        message: `durable['${pattern}'] has limits, which require attachRealtime() with a RealtimePubSub or without \`pubsub\`. Pass logs instead, such as createRedisLogs().`,
      })
    }
    made.push(logs)
    return logs
  })
  const byPattern = new Map(rows.map((logs) => [logs.pattern, logs]))
  const rowOf = (name: string): Logs | undefined => {
    const names = [name, ...patternsOf(isPattern(name) ? name.slice(0, -2) : name).toReversed()]
    // Not the channel before the `*` itself.
    return names.filter((other, place) => place === 0 || isPattern(other)).flatMap((other) => byPattern.get(other) ?? [])[0]
  }
  return { rows, rowOf, close: async () => void (await Promise.all(made.map((logs) => logs.close()))) }
}

const isLogs = (row: LogLimits | Logs): row is Logs => 'append' in row
