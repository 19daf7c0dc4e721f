import { RealtimeError, type AbsentEntry, type Entry } from '@tutti/protocol'
import type { RedisLink, ScriptReply } from '@tutti/pubsub/redis'
import type { MutationAuthor, WriteResult } from '../contract.ts'
import { valueOfText } from '../stored-text.ts'
import { appliedResult } from '../mutation.ts'
import { conflict, late, notANumber, staleMutation, wrongType } from '../store-errors.ts'
import type { StoreSettings } from '../store-options.ts'
import type { IndexClaims } from './index-claims.ts'
import type { KeyNames } from './key-names.ts'
import { messageHead } from './watch-message.ts'
import { WRITE_SCRIPT } from './write-script.ts'

/** What one run of the write script is asked. */
export interface WriteCall {
  key: string
  op: 'set' | 'remove' | 'increment' | 'patch'
  /** What is stored, or with `increment` the number to add. */
  text: string
  /** The end of the message; `=`: the text as the value. With `increment`: the initial number. */
  tail: string
  /** `if`: as a client asked (0: absent). `base`: what a patch was merged into. */
  condition?: { kind: 'if' | 'base'; version: number } | undefined
  ttlMs?: number | undefined
  writer?: string | undefined
  /** Milliseconds since 1970 on Redis' clock. */
  deadline: number
  /** All of them share the one write. */
  authors: readonly MutationAuthor[]
}

/** What the script said: see its own comment. */
export interface WriteAnswer {
  verdict: string
  version: number
  text: string | null
  /** The place in `authors` of the one whose memory answered, or -1. */
  author: number
}

/** Makes the function that runs the write script. */
export function createWriteCall(link: RedisLink, instanceId: string, names: KeyNames, index: IndexClaims, settings: StoreSettings) {
  const script = link.script(WRITE_SCRIPT)
  const channel = `${link.prefix}:${names.channel}`
  return async (call: WriteCall): Promise<WriteAnswer> => {
    const { key, condition, authors } = call
    const memories = authors.map((author) => names.memory(key, author))
    const announcement = [key, channel, instanceId, messageHead(key, call.writer), settings.tombstoneMs]
    const change = [call.op, call.text, call.tail, condition?.kind ?? '', condition?.version ?? 0, call.ttlMs ?? '']
    const limits = [Math.floor(call.deadline * 1000), settings.mutationMemoryMs]
    const keys = (isClaimed: boolean) => [names.value(key), names.state(key), index.keyFor(key, isClaimed), ...memories]
    const runScript = (isClaimed: boolean) =>
      script.run(keys(isClaimed), [...announcement, ...change, ...limits, ...authors.map((author) => author.number)])
    const run = () => index.withIndexClaim(key, call.deadline, runScript, (reply) => rowOf(reply)[0] === 'claim')
    const answer = answerOf(await untilAnswered(link, authors.length > 0, run))
    if (answer.verdict === 'late') link.adjustClock(answer.version / 1000)
    return answer
  }
}

/**
 * A write with a number whose answer was lost is asked for again, with its first deadline, as long as there is a
 * connection to ask over (F2). When there is none the outcome stays unknown; whoever has the number can ask later.
 */
async function untilAnswered(link: RedisLink, numbered: boolean, run: () => Promise<ScriptReply>): Promise<ScriptReply> {
  let lost: RealtimeError | undefined
  for (;;) {
    try {
      return await run()
    } catch (error) {
      const wasLost = error instanceof RealtimeError && error.code === 'OUTCOME_UNKNOWN'
      if (wasLost && numbered && link.status === 'ready') lost = error
      // An earlier try may have been applied, so "not applied" is more than is known.
      else throw lost ?? error
    }
  }
}

function answerOf(reply: ScriptReply): WriteAnswer {
  const [verdict, version, text, author] = rowOf(reply)
  return { verdict: String(verdict), version: Number(version), text: textOf(text), author: Number(author) }
}

/** The reply as a row; a script always gives one. */
export function rowOf(reply: ScriptReply): ScriptReply[] {
  if (Array.isArray(reply)) return reply
  throw new RealtimeError('INTERNAL', { message: 'Redis gave an answer that the script does not give.' })
}

/** A bulk string as text, nil as null. */
export const textOf = (part: ScriptReply | undefined): string | null => (typeof part === 'string' ? part : null)

/** The entry that a version and a stored text make. */
export function entryOf(key: string, version: number, text: string | null): Entry {
  const absent: AbsentEntry = { key, version, removed: true }
  return text === null ? absent : { key, version, value: valueOfText(text) }
}

/** The result of a write, or throws what it was refused with. `entry`: the one now, where a remembered conflict has none. */
export function resultOf(call: WriteCall, { verdict, version, text }: WriteAnswer, entry?: Entry): WriteResult {
  switch (verdict) {
    case 'ok':
      return appliedResult(call.op, version, text === null || text === '' ? undefined : Number(text))
    case 'conflict':
      throw conflict(entry ?? entryOf(call.key, version, text))
    case 'number':
      throw notANumber()
    case 'type':
      throw wrongType()
    case 'passed':
      throw staleMutation()
    case 'late':
      throw late()
    default:
      throw new RealtimeError('INTERNAL')
  }
}
