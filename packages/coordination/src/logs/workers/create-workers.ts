import { matchesChannel, RealtimeError } from '@tutti/protocol'
import type { LogGroup } from '../group-contract.ts'
import type { Logs } from '../log-contract.ts'
import { createClaimRenewal } from './claim-renewal.ts'
import { createDueTimers } from './due-timers.ts'
import { runRecord, type RunningRecord, type WorkerHandler } from './run-record.ts'
import { parseWorkerOptions, retryMsOf, type WorkerOptions } from './worker-options.ts'

/** The workers of one process. */
export interface Workers {
  readonly group: LogGroup
  /**
   * Takes no more records and waits for the handlers that run. After `timeoutMs` their signals are aborted, and their records are
   * processed again by other workers. Idempotent.
   */
  close(timeoutMs?: number): Promise<void>
}

/** How often a call is repeated while the store is unavailable, milliseconds. */
const REPEAT_MS = 1_000

/**
 * Processes the records of a group, each by one worker of all processes at a time, and again where that worker failed or died.
 * While nothing is appended and nothing waits, nothing is sent to the store.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`, `UNSUPPORTED`.
 *
 * @example
 * const workers = createWorkers(logs, { group: 'mail', concurrency: 4 }, async ({ data }) => send(data))
 */
export function createWorkers(logs: Logs, options: WorkerOptions, handler: WorkerHandler): Workers {
  const settings = parseWorkerOptions(options, logs.pattern)
  const { concurrency, visibilityMs, handlerTimeoutMs, channels, onError } = settings
  const group = logs.group(settings.group)
  /** Records whose outcome is not stored yet. */
  const running = new Map<RunningRecord, Promise<void>>()
  /** Logs that may have records to take. */
  const waiting = new Set<string>()
  const claims = createClaimRenewal({ group, running, visibilityMs, onError: (error, log) => report(error, log) })
  const timers = createDueTimers((log) => notice(log))
  const id = crypto.randomUUID()
  let takes = 0
  let taking: Promise<void> | undefined
  let closing: Promise<void> | undefined

  const report = (error: unknown, log?: string): void => {
    if (closing === undefined) onError(error, { stage: 'worker', subject: log })
  }
  const notice = (log: string): void => {
    if (closing !== undefined || !matchesChannel(channels, log)) return
    waiting.add(log)
    pump()
  }
  const pump = (): void => {
    if (closing !== undefined || taking !== undefined || running.size >= concurrency) return
    const [log] = waiting
    if (log === undefined) return
    waiting.delete(log)
    taking = take(log).finally(() => {
      taking = undefined
      pump()
    })
  }
  const take = async (log: string): Promise<void> => {
    const token = `${id}.${(takes += 1)}`
    try {
      const { records, dueInMs, hasMore } = await group.take(log, { token, count: concurrency - running.size, visibilityMs })
      for (const record of records) start(runRecord(record, token, handler, handlerTimeoutMs))
      if (hasMore) waiting.add(log)
      timers.set(log, dueInMs)
    } catch (error) {
      report(error, log)
      timers.set(log, REPEAT_MS)
    }
  }
  const start = (record: RunningRecord): void => {
    const finished = finish(record).finally(() => {
      running.delete(record)
      pump()
    })
    running.set(record, finished)
    claims.start()
  }
  const finish = async (record: RunningRecord): Promise<void> => {
    const { taken, token } = record
    const { log, offset, attempt } = taken
    const { error } = await record.outcome
    if (record.isAborted) return
    const retryMs = retryMsOf(settings, attempt)
    await repeat(log, async () => {
      if (error === undefined) return group.acknowledge(log, offset)
      const outcome = await group.fail(log, token, offset, error.message, retryMs)
      if (outcome === 'retry') timers.atMost(log, retryMs)
    })
  }
  /** Until it succeeds. A record whose outcome cannot be stored is delivered again. */
  const repeat = async (log: string, call: () => Promise<void>): Promise<void> => {
    for (;;) {
      try {
        return await call()
      } catch (error) {
        report(error, log)
        if (closing !== undefined) return
        await new Promise<void>((resolve) => void setTimeout(resolve, REPEAT_MS))
      }
    }
  }
  const noticeAll = async (): Promise<void> => {
    try {
      for (const log of await group.logs()) notice(log)
    } catch (error) {
      report(error)
      if (closing === undefined) timers.run(REPEAT_MS, () => void noticeAll())
    }
  }

  const subscription = group.onWork((log) => {
    if (log === undefined) void noticeAll()
    else notice(log)
  })
  // Records that are appended from then on are notified. A subscription that fails is reported by its logs.
  subscription.ready.then(noticeAll, () => {})

  const close = async (timeoutMs: number): Promise<void> => {
    subscription()
    timers.close()
    await taking
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => {
      if (Number.isFinite(timeoutMs)) timer = setTimeout(resolve, timeoutMs)
    })
    await Promise.race([Promise.all(running.values()), timeout])
    clearTimeout(timer)
    const left = [...running.keys()].filter(({ isRunning }) => isRunning)
    for (const record of left) record.abort(new RealtimeError('CLOSED', { message: 'The workers were closed.' }))
    await claims.release(left)
    claims.close()
  }

  return {
    group,
    close: (timeoutMs = Infinity) => (closing ??= close(timeoutMs)),
  }
}
