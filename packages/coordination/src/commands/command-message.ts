import { RealtimeError } from '@tutti/protocol'
import type { CommandResult } from './command-handler.ts'

/** A command on its channel. */
export interface CommandMessage {
  /** When its caller stops waiting, milliseconds by Redis' clock. */
  readonly deadline: number
  readonly timeoutMs: number
  readonly from: string
  /** Number of the call of this sender. */
  readonly id: number
  readonly confirm: boolean
  readonly text: string
}

/** The result of one command. */
export interface CommandReply {
  readonly id: number
  readonly result: CommandResult
}

const HEAD = /^(\d+) (\d+) (\S+) (\d+) ([01])\n/

const invalid = (cause?: unknown): RealtimeError =>
  new RealtimeError('INVALID_MESSAGE', { message: 'Dropped a command to all instances: it is malformed.', cause })

/** The message of a command. */
export const commandMessage = ({ deadline, timeoutMs, from, id, confirm, text }: CommandMessage): string =>
  `${Math.floor(deadline)} ${timeoutMs} ${from} ${id} ${confirm ? 1 : 0}\n${text}`

/** Parses a command. Throws `INVALID_MESSAGE`. */
export function parseCommand(message: string): CommandMessage {
  const head = HEAD.exec(message)
  if (head === null) throw invalid()
  const [{ length }, deadline, timeoutMs, from = '', id, confirm] = head
  return {
    ...{ deadline: Number(deadline), timeoutMs: Number(timeoutMs), from, id: Number(id), confirm: confirm === '1' },
    text: message.slice(length),
  }
}

/** The results of several commands of one sender. */
export const repliesMessage = (from: string, replies: readonly CommandReply[]): string =>
  JSON.stringify([from, ...replies.map(({ id, result }) => (result === undefined ? [id] : [id, result]))])

/** Parses results. Throws `INVALID_MESSAGE`. */
export function parseReplies(message: string): { from: string; replies: CommandReply[] } {
  const [from, ...replies] = listOf(parseJson(message))
  if (typeof from !== 'string') throw invalid()
  return { from, replies: replies.map(replyOf) }
}

function listOf(value: unknown): readonly unknown[] {
  if (!isList(value)) throw invalid()
  return value
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(error)
  }
}

function replyOf(value: unknown): CommandReply {
  const [id, result] = listOf(value)
  if (typeof id !== 'number' || !(typeof result === 'string' || result === null || result === undefined)) throw invalid()
  return { id, result }
}
