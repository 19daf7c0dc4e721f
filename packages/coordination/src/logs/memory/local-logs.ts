import { RealtimeError } from '@tutti/protocol'
import { createKeyedMutex, createListeners } from '@tutti/protocol/internal'
import type { LogGroup } from '../group-contract.ts'
import type { AppendNotice, LogPosition, LogRecord, Logs } from '../log-contract.ts'
import type { LogSettings } from '../log-options.ts'
import { backlogFull, logSubscription, parseLogName } from '../log-rules.ts'
import { createLocalGroup, type LocalGroup } from './local-group.ts'
import { createLocalLog, type LocalLog } from './local-log.ts'

/** Where logs are stored beyond the process. */
export interface LogStorage {
  /** What is stored of a log, records in order; `undefined` where it does not exist. */
  load(name: string): Promise<{ head: LogPosition; records: LogRecord[] } | undefined>
  putHead(name: string, head: LogPosition): Promise<void>
  put(name: string, record: LogRecord): Promise<void>
  remove(name: string, offsets: readonly number[]): Promise<void>
}

/** What the logs of one process are made of. */
export interface LocalLogsOptions {
  settings: LogSettings
  /** The clock, milliseconds since 1970. */
  nowMs: () => number
  /** Default: in memory alone. Logs in a storage have no groups. */
  storage?: LogStorage | undefined
}

interface OpenLog {
  readonly log: LocalLog
  readonly groups: ReadonlyMap<string, LocalGroup>
}

/** The logs of one process. The operations on one log run one after the other. */
export function createLocalLogs({ settings, nowMs, storage }: LocalLogsOptions): Logs {
  const { pattern, groups, maxBacklog, inlineValueMaxBytes, maxAgeMs, onError } = settings
  const nowUs = (): number => Math.floor(nowMs() * 1_000)
  const logs = new Map<string, Promise<OpenLog>>()
  const mutex = createKeyedMutex()
  const appends = createListeners<[AppendNotice]>((error) => onError(error, { stage: 'listener' }))
  const work = createListeners<[string]>((error) => onError(error, { stage: 'listener' }))
  let sweptMs = nowMs()
  let isClosed = false

  const open = async (name: string): Promise<OpenLog> => {
    const stored = await storage?.load(name)
    const now = nowUs()
    const head = stored?.head ?? { epoch: now, offset: now }
    if (stored === undefined) await storage?.putHead(name, head)
    const log = createLocalLog(settings, nowUs, head, stored?.records ?? [])
    return { log, groups: new Map(groups.map((group) => [group, createLocalGroup(name, log, nowMs)])) }
  }
  /** Logs whose records and offset are too old need no memory. */
  const sweep = async (): Promise<void> => {
    sweptMs = nowMs()
    for (const [name, opened] of [...logs]) if (!mutex.has(name) && (await opened).log.isOver) logs.delete(name)
  }
  const use = async <Result>(name: string, run: (opened: OpenLog) => Result | Promise<Result>): Promise<Result> => {
    if (isClosed) throw new RealtimeError('CLOSED')
    parseLogName(pattern, name)
    const step = async (): Promise<Result> => {
      const opened = logs.get(name) ?? open(name)
      logs.set(name, opened)
      opened.catch(() => logs.delete(name))
      return run(await opened)
    }
    try {
      return await mutex.run(name, step)
    } finally {
      if (nowMs() - sweptMs > maxAgeMs / 4) void sweep().catch(() => {})
    }
  }

  const trim = async (name: string, { log }: OpenLog, excess: readonly LogRecord[]): Promise<void> => {
    if (excess.length === 0) return
    const offsets = excess.map(({ offset }) => offset)
    log.removeFirst(excess.length)
    await storage?.remove(name, offsets)
    // The last offset is that of the last record, while there is one.
    if (log.records.length === 0) await storage?.putHead(name, log.head)
  }
  const floorOf = ({ groups: states }: OpenLog): number => Math.min(...[...states.values()].map(({ floor }) => floor), Infinity)

  const group = (name: string): LogGroup => {
    if (storage !== undefined) throw new RealtimeError('UNSUPPORTED', { message: 'Logs in a storage have no groups of workers.' })
    if (!groups.includes(name))
      throw new RealtimeError('INVALID_OPTIONS', { message: `Unknown group ${name}: add it to \`groups\` of ${pattern}.` })
    const on = async <Result>(log: string, run: (state: LocalGroup) => Result): Promise<Result> =>
      use(log, ({ groups: states }) => {
        const state = states.get(name)
        if (state === undefined) throw new RealtimeError('INTERNAL', { message: `The log ${log} has no group ${name}.` })
        return run(state)
      })
    return {
      name,
      logs: async () => [...logs.keys()],
      take: (log, options) => on(log, (state) => state.take(options)),
      renew: (log, token, offsets, visibilityMs) => on(log, (state) => state.renew(token, offsets, visibilityMs)),
      acknowledge: (log, offset) => on(log, (state) => state.acknowledge(offset)),
      fail: (log, token, offset, error, retryMs) => on(log, (state) => state.fail(token, offset, error, retryMs)),
      backlog: (log) => on(log, (state) => state.backlog),
      deadLetters: {
        list: (log, after) => on(log, (state) => state.letters(after)),
        replay: async (log, id) => {
          const isReplayed = await on(log, (state) => state.replay(id))
          if (isReplayed) work.emit(log)
          return isReplayed
        },
        drop: (log, id) => on(log, (state) => state.drop(id)),
      },
      onWork: (listener) => logSubscription(work.add(listener)),
      remove: (log) => on(log, (state) => state.remove()),
    }
  }

  return {
    pattern,
    append: (name, record) =>
      use(name, async (opened) => {
        const { log } = opened
        const known = record.id === undefined ? undefined : log.find(record.id)
        if (known !== undefined) return { epoch: log.epoch, offset: known.offset, isNew: false }
        const excess = log.excess(floorOf(opened))
        if (excess.length === 0 && log.records.length >= maxBacklog) throw backlogFull(name, maxBacklog)
        await trim(name, opened, excess)
        const added = log.next(record)
        await storage?.put(name, added)
        log.add(added)
        const { id: _, json, ...notice } = added
        const inline = Buffer.byteLength(json) <= inlineValueMaxBytes ? { json } : {}
        appends.emit({ log: name, epoch: log.epoch, ...notice, ...inline })
        work.emit(name)
        return { epoch: log.epoch, offset: added.offset, isNew: true }
      }),
    head: (name) => use(name, ({ log }) => log.head),
    rewind: (name, records) => use(name, ({ log }) => log.rewind(records)),
    read: (name, after) => use(name, ({ log }) => log.read(after)),
    history: (name, limit, before) => use(name, ({ log }) => log.history(limit, before)),
    trim: (name, upTo) =>
      use(name, async (opened) => {
        const end = Math.min(upTo, floorOf(opened) - 1)
        const excess = opened.log.records.filter(({ offset }) => offset <= end)
        await trim(name, opened, excess)
        return excess.length
      }),
    onAppend: (listener) => logSubscription(appends.add(listener)),
    onGap: () => () => {},
    group,
    close: async () => {
      isClosed = true
      appends.clear()
      work.clear()
      await mutex.idle()
    },
  }
}
