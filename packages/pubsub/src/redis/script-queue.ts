import { isConnectionFailure } from './errors.ts'
import type { RedisScript, ScriptReply } from './link-contract.ts'
import { joinedArguments, joinedSource, outcomeOf, type ScriptRun } from './joined-script.ts'
import { createScript, sendScript, type Send, type SentScript } from './script.ts'

/** Runs of one command at most: longer ones would keep other clients of Redis waiting for milliseconds. */
const MAX_RUNS = 128

/** Characters of the keys and arguments of one command at most. */
const MAX_CHARACTERS = 262_144

/** Sends the runs of scripts; those of one script in one turn of the event loop as one command. */
export interface ScriptQueue {
  /** Makes a script. `loadScript` is called with each source that Redis must know. */
  script(source: string, loadScript: (source: string) => void): RedisScript
  /** Sends what waits. To be called before any other command is sent, so that the order stays (S5). */
  flush(): void
}

interface WaitingRun extends ScriptRun {
  readonly resolve: (reply: ScriptReply) => void
  readonly reject: (error: unknown) => void
}

/** The two ways to run one script. */
interface Ways {
  readonly single: SentScript
  readonly joined: SentScript
}

/**
 * Makes the queue of one connection. Only consecutive runs of one script are joined, so all runs are executed in the order in
 * which they were started. A run that is alone is sent as it is.
 *
 * While nothing is under way, what waits is sent as soon as the code that is running has ended: nothing is gained by waiting
 * longer. While a command is under way it is sent at the end of the turn, so that all that has arrived meanwhile goes together.
 */
export function createScriptQueue(send: Send): ScriptQueue {
  let ways: Ways | undefined
  let waiting: WaitingRun[] = []
  let characters = 0
  let underWay = 0

  const flush = (): void => {
    const runs = waiting
    const [first] = runs
    if (first === undefined || ways === undefined) return
    waiting = []
    characters = 0
    underWay += 1
    const { single, joined } = ways
    const isAlone = runs.length === 1
    const sent = isAlone ? sendScript(single, send, argumentsOf(first)) : sendScript(joined, send, joinedArguments(runs))
    sent.then(
      (reply) => {
        underWay -= 1
        for (const [index, run] of runs.entries()) {
          const outcome = isAlone ? { reply } : outcomeOf(reply, index)
          if ('reply' in outcome) run.resolve(outcome.reply)
          // It did not run. Alone, the connection and its circuit breaker notice that too.
          else if (isConnectionFailure(outcome.error)) sendScript(single, send, argumentsOf(run)).then(run.resolve, run.reject)
          else run.reject(outcome.error)
        }
      },
      (error: unknown) => {
        underWay -= 1
        for (const run of runs) run.reject(error)
      },
    )
  }

  return {
    flush,
    script: (source, loadScript) => {
      const own: Ways = { single: createScript(source), joined: createScript(joinedSource(source)) }
      loadScript(own.single.source)
      loadScript(own.joined.source)
      return {
        run: (keys, args) =>
          new Promise((resolve, reject) => {
            const size = lengthOf(keys) + lengthOf(args)
            if (ways !== own || waiting.length >= MAX_RUNS || characters + size > MAX_CHARACTERS) flush()
            if (waiting.length === 0) {
              ways = own
              if (underWay === 0) process.nextTick(flush)
              else setImmediate(flush)
            }
            characters += size
            waiting.push({ keys, args, resolve, reject })
          }),
      }
    },
  }
}

const argumentsOf = ({ keys, args }: ScriptRun): (string | number)[] => [keys.length, ...keys, ...args]

const lengthOf = (parts: readonly (string | number)[]): number => {
  let length = 0
  for (const part of parts) length += typeof part === 'string' ? part.length : 16
  return length
}
