import { createWorkers, type Logs, type WorkerHandler, type WorkerOptions, type Workers } from '@tutti/coordination/logs'
import { parsePattern, RealtimeError } from '@tutti/protocol'
import type { ServerErrorListener } from '../feature.ts'

/**
 * Processes the events of the durable channels that a pattern matches, which must be within one row of the option `durable` whose
 * `groups` name the group.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`, `INVALID_CHANNEL`.
 *
 * @example
 * realtime.workers('jobs:*', { group: 'mail', concurrency: 4 }, async ({ data }, { signal }) => send(data, signal))
 */
export type ServerWorkers = (channels: string, options: Omit<WorkerOptions, 'channels'>, handler: WorkerHandler) => Workers

/** The workers of one server. */
export interface WorkerPool {
  readonly start: ServerWorkers
  /** Takes no more records; handlers that run after the time are aborted, and their records are processed elsewhere. */
  close(timeoutMs: number): Promise<void>
}

/** Makes `realtime.workers`. */
export function createServerWorkers(rowOf: (channels: string) => Logs | undefined, onError: ServerErrorListener): WorkerPool {
  const running = new Set<Workers>()
  return {
    start: (channels, options, handler) => {
      const logs = rowOf(parsePattern(channels))
      if (logs === undefined) {
        throw new RealtimeError('INVALID_OPTIONS', { message: `No durable channels: add ${channels} to the option \`durable\`.` })
      }
      const report: WorkerOptions['onError'] = (error, { subject }) => onError(error, { stage: 'durable', subject })
      const workers = createWorkers(logs, { onError: report, ...options, channels }, handler)
      const own: Workers = {
        ...workers,
        close: async (timeoutMs) => {
          running.delete(own)
          await workers.close(timeoutMs)
        },
      }
      running.add(own)
      return own
    },
    close: async (timeoutMs) => void (await Promise.all([...running].map((workers) => workers.close(timeoutMs)))),
  }
}
