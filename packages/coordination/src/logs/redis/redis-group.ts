import type { RedisLink, RedisScript } from '@tutti/pubsub/redis'
import type { DeadLetter, FailureOutcome, LogGroup, TakenRecord } from '../group-contract.ts'
import type { Logs } from '../log-contract.ts'
import { logSubscription } from '../log-rules.ts'
import {
  ACKNOWLEDGE_SCRIPT,
  BACKLOG_SCRIPT,
  FAIL_SCRIPT,
  GROUP_FUNCTIONS,
  REMOVE_GROUP_SCRIPT,
  RENEW_SCRIPT,
  REPLAY_SCRIPT,
  TAKE_FUNCTIONS,
  TAKE_SCRIPT,
} from './group-scripts.ts'
import type { LogIndex } from './log-index.ts'
import type { LogNames } from './log-keys.ts'
import { contentOf } from './append-message.ts'
import { fieldsOf, listOf } from './reply.ts'

/** What a group needs of its logs. */
export interface RedisGroupOptions extends Pick<Logs, 'onAppend' | 'onGap'> {
  link: RedisLink
  names: LogNames
  /** Lua that all scripts of these logs begin with. */
  setup: string
  index: LogIndex
  /** The name itself, or throws. */
  parse: (log: string) => string
}

/** Dead letters of one list. */
const LISTED_LETTERS = 100

/** Makes a group of workers on Redis. Each operation is one command; none of them blocks. */
export function createRedisGroup(name: string, options: RedisGroupOptions): LogGroup {
  const { link, names, setup, index, parse, onAppend, onGap } = options
  const scriptOf = (run: string, functions = ''): RedisScript => link.script({ setup, functions: GROUP_FUNCTIONS + functions, run })
  const [take, renew, acknowledge] = [scriptOf(TAKE_SCRIPT, TAKE_FUNCTIONS), scriptOf(RENEW_SCRIPT), scriptOf(ACKNOWLEDGE_SCRIPT)]
  const [fail, backlog, remove] = [scriptOf(FAIL_SCRIPT), scriptOf(BACKLOG_SCRIPT), scriptOf(REMOVE_GROUP_SCRIPT)]
  const workChannel = `${names.channel}#${name}`
  const replay = link.script({
    ...{ setup, functions: GROUP_FUNCTIONS, run: REPLAY_SCRIPT },
    shared: { CHANNEL: `${link.prefix}:${workChannel}` },
  })

  const keysOf = (log: string): string[] => {
    const { records, due, claims, errors, again, dead } = names.group(parse(log), name)
    return [records, due, claims, errors, again, dead]
  }
  const deadKey = (log: string): string => names.group(parse(log), name).dead
  const takenOf = (log: string, row: unknown): TakenRecord => {
    const [offset, record, attempt] = listOf(row)
    const { json, author } = contentOf(String(record))
    return { log, offset: Number(offset), json, attempt: Number(attempt), ...(author === undefined ? {} : { author }) }
  }

  return {
    name,
    logs: () => index.list(),
    take: async (log, { token, count, visibilityMs }) => {
      const { head, ids } = names.log(log)
      const reply = await take.run([...keysOf(log), head, ids], [name, token, count, visibilityMs])
      const [rows, due] = listOf(reply)
      const records = listOf(rows).map((row) => takenOf(log, row))
      const dueInMs = Number(due)
      return { records, hasMore: records.length >= count, ...(dueInMs < 0 ? {} : { dueInMs }) }
    },
    renew: async (log, token, offsets, visibilityMs) => {
      const reply = await renew.run(keysOf(log), [name, token, visibilityMs, ...offsets])
      return listOf(reply).map(Number)
    },
    acknowledge: async (log, offset) => void (await acknowledge.run(keysOf(log), [name, offset])),
    fail: async (log, token, offset, error, retryMs) => {
      const reply = await fail.run(keysOf(log), [name, token, offset, JSON.stringify(error), Math.ceil(retryMs)])
      return outcomeOf(reply)
    },
    backlog: async (log) => {
      const reply = await backlog.run(keysOf(log), [name])
      const [waiting, pending] = listOf(reply).map(Number)
      return { waiting: waiting ?? 0, pending: pending ?? 0 }
    },
    deadLetters: {
      list: async (log, after) => {
        const reply = await link.command('XRANGE', deadKey(log), after === undefined ? '-' : `(${after}`, '+', 'COUNT', LISTED_LETTERS)
        return listOf(reply).map((row) => letterOf(log, row))
      },
      replay: async (log, id) => (await replay.run(keysOf(log), [name, id, JSON.stringify({ log })])) === 1,
      drop: async (log, id) => (await link.command('XDEL', deadKey(log), id)) === 1,
    },
    onWork: (listener) => {
      const appends = onAppend(({ log }) => listener(log))
      const replays = link.subscribe(workChannel, () => listener())
      const stopGaps = onGap(() => listener())
      const ready = Promise.all([appends.ready, replays.ready]).then(() => {})
      // The link reports a subscription that fails.
      ready.catch(() => {})
      return logSubscription(() => {
        for (const stop of [appends, replays, stopGaps]) stop()
      }, ready)
    },
    remove: async (log) => void (await remove.run(keysOf(log), [name])),
  }
}

function outcomeOf(reply: unknown): FailureOutcome {
  return reply === 'retry' || reply === 'dead' ? reply : 'lost'
}

function letterOf(log: string, row: unknown): DeadLetter {
  const { id, fields } = fieldsOf(row)
  const errors: unknown = JSON.parse(fields.get('e') ?? '[]')
  return {
    ...{ id, log, offset: Number(fields.get('o')), json: contentOf(fields.get('d') ?? '').json },
    errors: listOf(errors).map(String),
  }
}
