import {
  callback,
  isSubscribable,
  parseOptions,
  required,
  safeErrorListener,
  text,
  wholeNumber,
  type OptionRows,
} from '@tutti/protocol/internal'
import type { LogErrorContext } from '../log-options.ts'

/** How the workers of one process share the records of a group. */
export interface WorkerOptions {
  /** One of the groups of the logs. */
  group: string
  /** The channels whose records are processed, within the pattern of the logs. @default all */
  channels?: string | undefined
  /** Records that this process processes at a time. @default 1 */
  concurrency?: number | undefined
  /**
   * The record of a process that died is processed by another one after this time, milliseconds. Claims are renewed every third of
   * it while the handler runs. @default 30000
   */
  visibilityMs?: number | undefined
  /** A handler that runs longer has failed, milliseconds. @default 300000 */
  handlerTimeoutMs?: number | undefined
  /** The wait after the first failure, milliseconds; it doubles with each further one, with jitter. @default 1000 */
  minRetryMs?: number | undefined
  /** The longest wait after a failure, milliseconds. @default 30000 */
  maxRetryMs?: number | undefined
  /** Numbers from 0 up to, not including, 1. @default Math.random */
  random?: (() => number) | undefined
  /** Receives failures that no caller awaits. @default console.error */
  onError?: ((error: unknown, context: LogErrorContext) => void) | undefined
}

const OPTIONS = {
  group: required(text(undefined)),
  channels: ['a channel or a pattern', isSubscribable, undefined],
  concurrency: wholeNumber(1, 1, 10_000),
  visibilityMs: wholeNumber(1, 30_000),
  handlerTimeoutMs: wholeNumber(1, 300_000),
  minRetryMs: wholeNumber(0, 1_000),
  maxRetryMs: wholeNumber(0, 30_000),
  random: callback(Math.random),
  onError: callback(undefined),
} satisfies OptionRows<WorkerOptions>

/** The options with every default filled in. `onError` never throws. */
export type WorkerSettings = { [Name in keyof WorkerOptions]-?: Exclude<WorkerOptions[Name], undefined> }

/** Throws `INVALID_OPTIONS`. */
export function parseWorkerOptions(options: WorkerOptions, pattern: string): WorkerSettings {
  const { channels = pattern, ...settings } = parseOptions('workers', OPTIONS, options)
  return { ...settings, channels, onError: safeErrorListener(settings.onError) }
}

/** How long a record that failed waits. `attempt` counts from 1. */
export const retryMsOf = ({ minRetryMs, maxRetryMs, random }: WorkerSettings, attempt: number): number =>
  Math.min(maxRetryMs, minRetryMs * 2 ** (attempt - 1) * (1 + random() / 2))
