import type { EndOfTurn } from './end-of-turn.ts'
import { isConnectionFailure } from './errors.ts'
import { joinedArguments, joinedSource, outcomesOf, type ScriptRun } from './joined-script.ts'
import type { RedisScript, ScriptReply, ScriptSource } from './link-contract.ts'
import { createScript, sendScript, singleArguments, singleSource, type SendCommand, type SentScript } from './script.ts'

/** Maximum runs per command: longer ones would delay other clients of Redis by milliseconds. */
const MAX_RUNS = 128

/** Maximum characters of the keys and arguments of one command. */
const MAX_CHARACTERS = 262_144

/** Maximum keys and arguments of a run that can be joined: Lua unpacks them on its stack. */
const MAX_PARTS = 1_000

/** Sends the runs of scripts; consecutive runs of one script in one turn of the event loop become one command. */
export interface ScriptQueue {
  /** Registers a script. `loadScript` is called with each source that Redis must know. */
  script(source: ScriptSource, loadScript: (source: string) => void): Pick<RedisScript, 'send'>
  /** Sends queued runs. Must be called before any other command is sent, so that the order is kept (S5). */
  flush(): void
}

class WaitingRun implements ScriptRun {
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
  readonly onReply: (reply: ScriptReply) => void
  readonly onError: (error: unknown) => void

  constructor(...[keys, args, onReply, onError]: Parameters<RedisScript['send']>) {
    this.keys = keys
    this.args = args
    this.onReply = onReply
    this.onError = onError
  }
}

/** The two forms of one script. */
interface Ways {
  readonly source: ScriptSource
  readonly single: SentScript
  readonly joined: SentScript
}

/**
 * Creates the queue of one connection. Only consecutive runs of one script are joined, so all runs are executed in the order in
 * which they were started. A single run is sent as it is. The callbacks of all runs of a command are called in one loop, so the
 * promises that they settle are settled in the order in which Redis executed the runs.
 */
export function createScriptQueue(send: SendCommand, endOfTurn: EndOfTurn): ScriptQueue {
  let ways: Ways | undefined
  const waiting: WaitingRun[] = []
  let characters = 0

  const sendAlone = ({ source, single }: Ways, { keys, args, onReply, onError }: WaitingRun): void =>
    sendScript(single, send, singleArguments(single, source, keys, args), onReply, onError)

  const sendJoined = (own: Ways, runs: WaitingRun[]): void => {
    const replied = (reply: ScriptReply): void => {
      const { replies, errors } = outcomesOf(reply, runs.length)
      for (let place = 0; place < runs.length; place += 1) {
        const run = runs[place]
        const error = errors?.get(place)
        if (error === undefined) run?.onReply(replies[place] ?? null)
        // It did not run. Sent alone, its failure is also counted by the connection and its circuit breaker.
        else if (isConnectionFailure(error) && run !== undefined) sendAlone(own, run)
        else run?.onError(error)
      }
      // Callbacks that are garbage already would keep the runs in memory.
      runs.length = 0
    }
    const failed = (error: unknown): void => {
      for (const run of runs) run.onError(error)
      runs.length = 0
    }
    sendScript(own.joined, send, joinedArguments(own.joined, own.source, runs), replied, failed)
  }

  const flush = (): void => {
    const [first] = waiting
    if (first === undefined || ways === undefined) return
    characters = 0
    const runs = waiting.splice(0)
    if (runs.length > 1) return sendJoined(ways, runs)
    runs.length = 0
    sendAlone(ways, first)
  }

  return {
    flush,
    script: (source, loadScript) => {
      const own: Ways = { source, single: createScript(singleSource(source)), joined: createScript(joinedSource(source)) }
      loadScript(own.single.source)
      loadScript(own.joined.source)
      return {
        send: (keys, args, onReply, onError) => {
          // The list of the run before is sent once.
          const size = (waiting.at(-1)?.keys === keys ? 0 : lengthOf(keys)) + lengthOf(args)
          const isLarge = keys.length + args.length > MAX_PARTS
          if (ways !== own || isLarge || waiting.length >= MAX_RUNS || characters + size > MAX_CHARACTERS) flush()
          if (waiting.length === 0) {
            ways = own
            endOfTurn.add(flush)
          }
          // Nothing is joined to a run that has reached the limit.
          characters += isLarge ? MAX_CHARACTERS : size
          waiting.push(new WaitingRun(keys, args, onReply, onError))
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
