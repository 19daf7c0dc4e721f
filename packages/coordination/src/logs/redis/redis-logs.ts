import { RealtimeError } from '@tutti/protocol'
import { createListeners, parseOptions, required, withMethods, type OptionRows } from '@tutti/protocol/internal'
import type { RedisLink, RedisScript, ScriptReply } from '@tutti/pubsub/redis'
import { partsOf } from '../../redis/script-reply.ts'
import { PAGE_BYTES, PAGE_RECORDS, type Appended, type AppendNotice, type LogPosition, type Logs } from '../log-contract.ts'
import { parseLogOptions, type LogOptions } from '../log-options.ts'
import { backlogFull, historyOf, logSubscription, pageOf, parseLogName } from '../log-rules.ts'
import { idText, parseAppendMessage, recordsOf, storedText } from './append-message.ts'
import { appendScript } from './append-script.ts'
import { createLogIndex } from './log-index.ts'
import { logNames, type LogKind } from './log-keys.ts'
import { HEAD_SCRIPT, HISTORY_SCRIPT, READ_SCRIPT, TRIM_SCRIPT } from './read-scripts.ts'
import { createRedisGroup } from './redis-group.ts'
import { FLOOR, LOG_SETUP, logConstants, REMOVE } from './script-head.ts'

/** Options of `createRedisLogs`. */
export interface RedisLogOptions extends LogOptions {
  /** The two connections: `pubsub.link`. */
  link: RedisLink
  /**
   * What the records are: logs of different kinds never meet.
   *
   * @default 'event'
   * @internal
   */
  kind?: LogKind | undefined
}

/** Logs whose keys are kept ready. More than one command can name. */
const MAX_KNOWN_LOGS = 10_000

/** What is kept of a log. */
interface KnownLog {
  readonly keys: readonly [records: string, head: string, ids: string]
  /** That of the last reply. */
  epoch: number
}

type AppendOutcome = Appended | 'claim' | 'full'

const OWN_OPTIONS = {
  link: required(withMethods(['script', 'command', 'subscribe', 'companionKey'], undefined)),
} satisfies OptionRows<Pick<RedisLogOptions, 'link'>>

/**
 * Makes logs on Redis Streams, with groups. An append is one script: it deduplicates, numbers, adds, trims and notifies.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * const logs = createRedisLogs({ link: pubsub.link, pattern: 'jobs:*', groups: ['mail'] })
 */
export function createRedisLogs({ link, kind = 'event', ...rest }: RedisLogOptions): Logs {
  parseOptions('createRedisLogs', OWN_OPTIONS, { link })
  const settings = parseLogOptions('createRedisLogs', rest)
  const { pattern, groups, maxBacklog, onError } = settings
  const names = logNames(link, pattern, kind)
  const setup = logConstants(settings) + LOG_SETUP
  const scriptOf = (run: string, functions = ''): RedisScript => link.script({ setup, functions, run })
  const addition = link.script({
    ...appendScript(setup, names.namePlace),
    shared: { CHANNEL: `${link.prefix}:${names.channel}` },
  })
  const [head, read, history] = [scriptOf(HEAD_SCRIPT), scriptOf(READ_SCRIPT), scriptOf(HISTORY_SCRIPT)]
  const trim = scriptOf(TRIM_SCRIPT, FLOOR + REMOVE)
  const index = createLogIndex(link, names.index, async (name) => (await link.command('EXISTS', names.log(name).records)) === 1)
  const listeners = createListeners<[AppendNotice]>((error) => onError(error, { stage: 'listener' }))
  const stops = new Set<() => void>()
  let subscription: ReturnType<RedisLink['subscribe']> | undefined
  let isClosed = false

  const known = new Map<string, KnownLog>()
  const logOf = (name: string): KnownLog => {
    if (isClosed) throw new RealtimeError('CLOSED')
    const found = known.get(name)
    if (found !== undefined) return found
    const { records, head: headKey, ids } = names.log(parseLogName(pattern, name))
    const made = { keys: [records, headKey, ids] as const, epoch: 0 }
    known.set(name, made)
    // The one that was made first. It is made again when it is needed.
    if (known.size > MAX_KNOWN_LOGS) known.delete(String(known.keys().next().value))
    return made
  }
  const keysOf = (name: string): KnownLog['keys'] => logOf(name).keys
  const append: Logs['append'] = (name, record) =>
    new Promise((resolve, reject) => {
      const log = logOf(name)
      const text = storedText(record)
      const args = record.id === undefined ? [text] : [text, idText(record.id)]
      const received = (reply: ScriptReply): void => {
        const outcome = outcomeOf(log, reply)
        if (outcome === 'full') reject(backlogFull(name, maxBacklog))
        else if (outcome === 'claim')
          index.claim(name).then(() => addition.send(log.keys, [text, args[1] ?? '', '1'], received, reject), reject)
        else resolve(outcome)
      }
      addition.send(log.keys, args, received, reject)
    })
  const headOf = async (name: string, records: number): Promise<{ end: LogPosition; from: number }> => {
    const [recordsKey, headKey] = keysOf(name)
    const [epoch, offset, from] = partsOf(await head.run([recordsKey, headKey], [records])).map(Number)
    return { end: { epoch: epoch ?? 0, offset: offset ?? 0 }, from: from ?? 0 }
  }
  /** Runs a script that reads. A log that does not exist begins. */
  const find = async (name: string, script: RedisScript, args: (string | number)[]) => {
    const [recordsKey, headKey] = keysOf(name)
    const [epoch, last, rows, first] = partsOf(await script.run([recordsKey, headKey], args))
    const end = epoch === '' ? (await headOf(name, 0)).end : { epoch: Number(epoch), offset: Number(last) }
    return { head: end, records: recordsOf(rows), first: recordsOf(first)[0] }
  }
  const receive = (message: string): void => {
    try {
      for (const notice of parseAppendMessage(message)) listeners.emit(notice)
    } catch (error) {
      onError(error, { stage: 'message' })
    }
  }
  const stopping = (stop: () => void): (() => void) => {
    const once = (): void => void (stops.delete(once) && stop())
    stops.add(once)
    return once
  }
  const onAppend: Logs['onAppend'] = (listener) => {
    if (isClosed) throw new RealtimeError('CLOSED')
    const forget = listeners.add(listener)
    subscription ??= link.subscribe(names.channel, receive)
    const { ready } = subscription
    const stop = stopping(() => {
      forget()
      if (listeners.size > 0) return
      subscription?.()
      subscription = undefined
    })
    return logSubscription(stop, ready)
  }
  const onGap: Logs['onGap'] = (listener) => {
    if (isClosed) throw new RealtimeError('CLOSED')
    return stopping(link.onGap(listener))
  }

  return {
    pattern,
    append,
    head: async (name) => (await headOf(name, 0)).end,
    rewind: async (name, records) => {
      const { end, from } = await headOf(name, records)
      return { epoch: end.epoch, offset: from }
    },
    read: async (name, after) => pageOf(await find(name, read, [after?.epoch ?? '', after?.offset ?? 0, PAGE_RECORDS, PAGE_BYTES]), after),
    history: async (name, limit, before) => {
      const found = await find(name, history, [before?.offset ?? '', limit, PAGE_BYTES])
      return historyOf({ ...found, records: found.records.toReversed() }, found.first, before)
    },
    trim: async (name, upTo) => {
      let removed = 0
      for (;;) {
        const count = Number(await trim.run(keysOf(name), [upTo]))
        removed += count
        if (count < 100) return removed
      }
    },
    onAppend,
    onGap,
    group: (name) => {
      if (!groups.includes(name))
        throw new RealtimeError('INVALID_OPTIONS', { message: `Unknown group ${name}: add it to \`groups\` of ${pattern}.` })
      return createRedisGroup(name, { link, names, setup, index, parse: (log) => parseLogName(pattern, log), onAppend, onGap })
    },
    close: async () => {
      isClosed = true
      for (const stop of stops) stop()
      listeners.clear()
    },
  }
}

/** A number follows, in the same command, a text with the epoch. Replies arrive in order. */
function outcomeOf(log: KnownLog, reply: ScriptReply): AppendOutcome {
  if (typeof reply === 'number') return { epoch: log.epoch, offset: reply, isNew: true }
  if (reply === 'claim' || reply === 'full') return reply
  const [epoch, offset, verdict] = String(reply).split(' ')
  log.epoch = Number(epoch)
  return { epoch: log.epoch, offset: Number(offset), isNew: verdict === undefined }
}
