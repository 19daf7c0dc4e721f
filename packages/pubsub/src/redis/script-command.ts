import { tracingChannel } from 'node:diagnostics_channel'
import { Command, type Redis } from 'ioredis'
import type { CommandArgs } from './script.ts'

/** Sends an EVALSHA. Exactly one of the callbacks is called. */
export type SendScript = (args: CommandArgs, onReply: (reply: unknown) => void, onError: (error: unknown) => void) => void

const NONE: CommandArgs = []

const nothing = (): void => {}

/**
 * An EVALSHA as ioredis queues and answers it, without what its `Command` does for all commands and callers: a promise with four
 * functions, copies and transformations of the arguments. That takes longer than to write the command. Methods that are not
 * here are those of `Command`.
 */
class ScriptCommand {
  /** In lower case, because ioredis checks it in lower case several times. */
  readonly name = 'evalsha'
  args: CommandArgs
  readonly promise = undefined
  /** It has no promise that could be traced. */
  readonly isTraced = true
  resolve: (reply: unknown) => void
  reject: (error: unknown) => void

  constructor(args: CommandArgs, onReply: (reply: unknown) => void, onError: (error: unknown) => void) {
    this.args = args
    this.resolve = (reply) => {
      this.release()
      run(onReply, textOf(reply))
    }
    this.reject = (error) => {
      this.release()
      // An error of Redis has its place among the replies. The loss of the connection is reported when ioredis has finished it.
      if (error instanceof Error && error.name === 'ReplyError') run(onError, error)
      else void Promise.resolve(error).then(onError)
    }
  }

  /** ioredis' record of the command may be in memory for a while yet. */
  private release(): void {
    this.args = NONE
    this.resolve = nothing
    this.reject = nothing
  }

  toWritable(): string {
    let text = `*${this.args.length + 1}\r\n$7\r\nEVALSHA\r\n`
    for (const part of this.args) {
      const argument = typeof part === 'string' ? part : String(part)
      text += `$${Buffer.byteLength(argument)}\r\n${argument}\r\n`
    }
    return text
  }
}
Reflect.setPrototypeOf(ScriptCommand.prototype, Command.prototype)

/** An error must not end the loop of ioredis over the replies. */
function run(callback: (result: unknown) => void, result: unknown): void {
  try {
    callback(result)
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}

/** A reply with bytes as text. */
function textOf(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return Array.isArray(reply) ? reply.map(textOf) : reply
}

const TRACES = tracingChannel('ioredis:command')

/** Makes the function that sends scripts over a client of our own. `undefined`: it can't, or the application observes its commands. */
export function createScriptSender(client: Redis): { readonly send: SendScript | undefined } {
  const { sendCommand, options } = client
  const isAsExpected =
    typeof sendCommand === 'function' &&
    typeof Command.prototype.toWritable === 'function' &&
    !options.keyPrefix &&
    !options.showFriendlyErrorStack
  const send: SendScript = (args, onReply, onError) => void Reflect.apply(sendCommand, client, [new ScriptCommand(args, onReply, onError)])
  return {
    get send() {
      return isAsExpected && !TRACES.hasSubscribers ? send : undefined
    },
  }
}
