import type { Logs } from '../log-contract.ts'
import { parseLogOptions, type LogOptions } from '../log-options.ts'
import { createLocalLogs } from './local-logs.ts'

/**
 * Makes logs in the memory of one process, with groups. They end with the process.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 */
export const createMemoryLogs = (options: LogOptions): Logs =>
  createLocalLogs({ settings: parseLogOptions('createMemoryLogs', options), nowMs: Date.now })
