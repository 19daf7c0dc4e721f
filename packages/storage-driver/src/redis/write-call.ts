import { RealtimeError, type Entry } from '@tutti/protocol'
import type { RedisLink, ScriptReply } from '@tutti/pubsub/redis'
import type { MutationAuthor, WriteGuard, WriteResult } from '../contract.ts'
import { appliedResult } from '../mutation.ts'
import { conflict, late, lockRefusal, notANumber, staleMutation, wrongType } from '../store-errors.ts'
import type { KeyNames } from './key-names.ts'
import { entryOf, rowOf, textOf } from './reply.ts'
import { StoreRun, type StoreScript } from './store-scripts.ts'
import { messageHead } from './watch-message.ts'

/** One run of the write script. */
export interface WriteCall {
  key: string
  op: 'set' | 'remove' | 'increment' | 'patch'
  /** The text to store, or with `increment` the number to add. */
  text: string
  /** The end of the message; `=`: the text as the value. With `increment`: the initial number. */
  tail: string
  /** `if`: as a client requested (0: absent). `base`: the version that a patch was merged into. */
  condition?: { kind: 'if' | 'base'; version: number } | undefined
  ttlMs?: number | undefined
  writer?: string | undefined
  /** Milliseconds since 1970 on Redis' clock. */
  deadline: number
  /** All of them share the one write. */
  authors: readonly MutationAuthor[]
  /** The lock that the write needs, on Redis. */
  guard?: (WriteGuard & { readonly record: string }) | undefined
}

/** The script's reply, documented at the script. */
export interface WriteAnswer {
  verdict: string
  version: number
  text: string | null
  /** The index in `authors` of the author with a remembered outcome, or -1. */
  author: number
}

/** Runs the write script. Calls exactly one callback, in the loop over the replies of Redis, so that results keep its order. */
export type RunWrite = (call: WriteCall, onAnswer: (answer: WriteAnswer) => void, onError: (error: unknown) => void) => void

/**
 * Creates the function that runs the write script. A write with a number whose reply was lost is sent again, with its first
 * deadline, as long as there is a connection (F2). Without a connection the outcome stays unknown; a client that has the number
 * can send it again later.
 */
export function createRunWrite(link: RedisLink, names: KeyNames, plainScript: StoreScript, guardedScript: StoreScript): RunWrite {
  return (call, onAnswer, onError) => {
    const { key, deadline, authors } = call
    const run = new StoreRun(key, keysOf(names, call), argumentsOf(call), deadline)
    const script = call.guard === undefined ? plainScript : guardedScript
    let lost: RealtimeError | undefined
    const replied = (reply: ScriptReply): void => {
      let answer: WriteAnswer
      try {
        answer = answerOf(reply)
      } catch (error) {
        return onError(error)
      }
      if (answer.verdict === 'late') link.adjustClock(answer.version / 1000)
      onAnswer(answer)
    }
    const failed = (error: unknown): void => {
      const wasLost = error instanceof RealtimeError && error.code === 'OUTCOME_UNKNOWN'
      if (wasLost && authors.length > 0 && link.status === 'ready') {
        lost = error
        return script(run, replied, failed)
      }
      // An earlier attempt may have been applied, so "not applied" cannot be claimed.
      onError(lost ?? error)
    }
    script(run, replied, failed)
  }
}

function keysOf(names: KeyNames, { key, authors, guard }: WriteCall): string[] {
  const keys = [names.value(key), names.state(key)]
  for (const author of authors) keys.push(names.memory(key, author))
  if (guard !== undefined) keys.push(guard.record)
  return keys
}

function argumentsOf({ key, op, text, tail, condition, ttlMs, writer, deadline, authors, guard }: WriteCall): (string | number)[] {
  const args: (string | number)[] = [messageHead(key, writer), text, Math.floor(deadline * 1000)]
  const isPlain =
    op === 'set' && tail === '=' && condition === undefined && ttlMs === undefined && authors.length < 2 && guard === undefined
  if (!isPlain) args.push(op, tail, condition?.kind ?? '', condition?.version ?? 0, ttlMs ?? '')
  for (const { number } of authors) args.push(number)
  if (guard !== undefined) args.push(guard.token, guard.owner ?? '', guard.always ? 'always' : '')
  return args
}

function answerOf(reply: ScriptReply): WriteAnswer {
  if (typeof reply === 'number') return { verdict: 'ok', version: reply, text: null, author: -1 }
  const [verdict, version, text, author] = rowOf(reply)
  return { verdict: String(verdict), version: Number(version), text: textOf(text), author: Number(author) }
}

/** The result of a write; throws if it was refused. `entry`: the current one, because a remembered conflict has none. */
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
    case 'lost':
    case 'locked':
      throw lockRefusal(verdict)
    case 'passed':
      throw staleMutation()
    case 'late':
      throw late()
    default:
      throw new RealtimeError('INTERNAL', { message: `Unexpected reply from a Redis script: ${verdict}.` })
  }
}
