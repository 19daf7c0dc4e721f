import { RealtimeError } from '@tutti/protocol'
import { createDeferred } from '@tutti/protocol/internal'
import type { CommandReplies } from '../contract.ts'
import type { CommandReply } from './command-message.ts'

/** The calls of one sender that wait for replies. */
export interface OpenCalls {
  /** Opens a call. It ends after `timeoutMs`: with what has arrived, or rejects if it is not known which instances receive the command. */
  open(timeoutMs: number): OpenCall
  /** An instance replied. Replies to calls that have ended are ignored. */
  receive(from: string, reply: CommandReply): void
  /** Ends all calls with `CLOSED`. */
  close(): void
}

/** One call. */
export interface OpenCall {
  readonly id: number
  readonly result: Promise<CommandReplies>
  readonly isOver: boolean
  /** The command is about to be sent. */
  sending(): void
  /** The command was sent while these instances were alive. */
  sent(instances: readonly string[]): void
  fail(error: unknown): void
}

interface State extends OpenCall {
  receive(from: string, result: CommandReply['result']): void
}

const late = (isSent: boolean, timeoutMs: number): RealtimeError =>
  new RealtimeError(isSent ? 'OUTCOME_UNKNOWN' : 'UNAVAILABLE', { message: `Redis did not reply to a command within ${timeoutMs} ms.` })

/** Makes the calls of one sender. */
export function createOpenCalls(): OpenCalls {
  const calls = new Map<number, State>()
  let lastId = 0
  let isClosed = false

  const open = (id: number, timeoutMs: number): State => {
    const { promise, resolve, reject } = createDeferred<CommandReplies>()
    const replies = new Map<string, string>()
    const failed: string[] = []
    /** Instances that have replied, also before it is known which receive the command. */
    const done = new Set<string>()
    let receivers: readonly string[] | undefined
    let isSent = false

    const awaited = (): string[] => (receivers ?? []).filter((instance) => !done.has(instance))
    const end = (settle: () => void): void => {
      if (!calls.delete(id)) return
      clearTimeout(timer)
      settle()
    }
    const finish = (): void => end(() => resolve({ replies, missing: [...awaited(), ...failed] }))
    const fail = (error: unknown): void => end(() => reject(error))
    const timer = setTimeout(() => (receivers === undefined ? fail(late(isSent, timeoutMs)) : finish()), timeoutMs)
    return {
      id,
      result: promise,
      get isOver() {
        return !calls.has(id)
      },
      sending: () => {
        isSent = true
      },
      sent: (instances) => {
        receivers = [...new Set(instances)]
        if (awaited().length === 0) finish()
      },
      fail,
      receive: (from, result) => {
        if (result === null) failed.push(from)
        else if (result !== undefined) replies.set(from, result)
        done.add(from)
        if (receivers !== undefined && awaited().length === 0) finish()
      },
    }
  }

  return {
    open: (timeoutMs) => {
      const call = open((lastId += 1), timeoutMs)
      calls.set(call.id, call)
      if (isClosed) call.fail(new RealtimeError('CLOSED'))
      return call
    },
    receive: (from, { id, result }) => calls.get(id)?.receive(from, result),
    close: () => {
      isClosed = true
      for (const { fail } of [...calls.values()]) fail(new RealtimeError('CLOSED'))
    },
  }
}
