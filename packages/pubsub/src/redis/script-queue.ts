import type { EndOfTurn } from './end-of-turn.ts'
import { isConnectionFailure } from './errors.ts'
import { joinedArguments, joinedSource, outcomesOf, type ScriptRun } from './joined-script.ts'
import type { RedisScript, ScriptReply, ScriptSource } from './link-contract.ts'
import { createScript, sendScript, singleArguments, singleSource, type SendCommand, type SentScript } from './script.ts'

/** Runs of one command at most: longer ones would delay other clients of Redis by milliseconds. */
const MAX_RUNS = 128

/** Characters of the keys and arguments of one command at most. */
const MAX_CHARACTERS = 262_144

/** Keys and arguments of a run that can be joined at most: Lua unpacks them on its stack. */
const MAX_PARTS = 1_000

/** Sends the runs of scripts; those of one script in one turn of the event loop as one command. */
export interface ScriptQueue {
  /** Makes a script. `loadScript` is called with each source that Redis must know. */
  script(source: ScriptSource, loadScript: (source: string) => void): Pick<RedisScript, 'send'>
  /** Sends what waits. To be called before any other command is sent, so that the order stays (S5). */
  flush(): void
}

interface WaitingRun extends ScriptRun {
  readonly onReply: (reply: ScriptReply) => void
  readonly onError: (error: unknown) => void
}

/** The two ways to run one script. */
interface Ways {
  readonly source: ScriptSource
  readonly single: SentScript
  readonly joined: SentScript
}

/**
 * Makes the queue of one connection. Only consecutive runs of one script are joined, so all runs are executed in the order in
 * which they were started. A run that is alone is sent as it is. The callbacks of all runs of a command are called in one loop, in
 * order, so what they settle is settled in the order in which Redis executed the runs.
 */
export function createScriptQueue(send: SendCommand, endOfTurn: EndOfTurn): ScriptQueue {
  let ways: Ways | undefined
  let waiting: WaitingRun[] = []
  let characters = 0

  const sendAlone = ({ source, single }: Ways, { keys, args, onReply, onError }: WaitingRun): void =>
    sendScript(single, send, singleArguments(source, keys, args), onReply, onError)

  const sendJoined = (own: Ways, runs: readonly WaitingRun[]): void => {
    const replied = (reply: ScriptReply): void => {
      const outcomes = outcomesOf(reply, runs.length)
      for (const [place, run] of runs.entries()) {
        const outcome = outcomes[place] ?? { reply: null }
        if ('reply' in outcome) run.onReply(outcome.reply)
        // It did not run. Alone, the connection and its circuit breaker notice that too.
        else if (isConnectionFailure(outcome.error)) sendAlone(own, run)
        else run.onError(outcome.error)
      }
    }
    const failed = (error: unknown): void => {
      for (const run of runs) run.onError(error)
    }
    sendScript(own.joined, send, joinedArguments(own.source, runs), replied, failed)
  }

  const flush = (): void => {
    const runs = waiting
    const [first] = runs
    if (first === undefined || ways === undefined) return
    waiting = []
    characters = 0
    if (runs.length === 1) sendAlone(ways, first)
    else sendJoined(ways, runs)
  }

  return {
    flush,
    script: (source, loadScript) => {
      const own: Ways = { source, single: createScript(singleSource(source)), joined: createScript(joinedSource(source)) }
      loadScript(own.single.source)
      loadScript(own.joined.source)
      return {
        send: (keys, args, onReply, onError) => {
          const size = lengthOf(keys) + lengthOf(args)
          const isLarge = keys.length + args.length > MAX_PARTS
          if (ways !== own || isLarge || waiting.length >= MAX_RUNS || characters + size > MAX_CHARACTERS) flush()
          if (waiting.length === 0) {
            ways = own
            endOfTurn.add(flush)
          }
          // Nothing is joined to a run that has reached the limit.
          characters += isLarge ? MAX_CHARACTERS : size
          waiting.push({ keys, args, onReply, onError })
        },
      }
    },
  }
}

const lengthOf = (parts: readonly (string | number)[]): number => {
  let length = 0
  for (const part of parts) length += typeof part === 'string' ? part.length : 16
  return length
}
