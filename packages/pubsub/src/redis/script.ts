import { createHash } from 'node:crypto'
import { isUnknownScript } from './errors.ts'
import type { ScriptReply, ScriptSource } from './link-contract.ts'

/** Arguments of a command or a script. */
export type CommandArgs = readonly (string | number | Buffer)[]

/**
 * Sends one command at once or never (N5). Exactly one of the callbacks is called; those of several commands in the order in
 * which Redis executed them. Callbacks instead of a promise, so that a command needs no microtasks in any layer.
 */
export type SendCommand = (
  name: string,
  args: CommandArgs,
  onReply: (reply: ScriptReply) => void,
  onError: (error: unknown) => void,
) => void

/** `SendCommand` with a promise, for commands that are sent rarely. */
export type Send = (name: string, args: CommandArgs) => Promise<ScriptReply>

/** Converts a `SendCommand` to a `Send`. */
export const promised =
  (send: SendCommand): Send =>
  (name, args) =>
    new Promise((resolve, reject) => send(name, args, resolve, reject))

/** A script as Redis knows it. */
export interface SentScript {
  readonly source: string
  readonly sha: string
}

/** Creates a script from its source. */
export const createScript = (source: string): SentScript => ({ source, sha: createHash('sha1').update(source).digest('hex') })

/** The Lua of a script that runs once in its command. `sharedKeys` and `shared` are the last of its keys and arguments. */
export const singleSource = (script: ScriptSource): string => {
  const { setup = '', shortcut = '', functions = '', run, finish, isGrouped = false } = script
  const start = `${sharedLocals(script)}${setup}\n`
  if (isGrouped)
    return `${start}${REPLIES}${functions}\n${groupFunction(script)}\nrun(KEYS, 0, 1, #ARGV, 0)\n${finish ?? ''}\nreturn replies[1]`
  if (finish === undefined) return `${start}${shortcut}\n${functions}\n${run}`
  return `${start}${functions}\nlocal function run()\n${shortcut}\n${run}\nend\nlocal reply = run()\n${finish}\nreturn reply`
}

/** Locals of a script that replies to several runs. */
export const REPLIES = 'local ARGV, replies = ARGV, {}\n'

/** Lua that executes the runs of a group. */
export const groupFunction = ({ run }: ScriptSource): string => `
local function run(KEYS, before, runs, size, number)
${run}
end`

/** The arguments of the EVALSHA of a single run: the SHA, the number of keys, keys and arguments. */
export function singleArguments({ sha }: SentScript, { sharedKeys, shared }: ScriptSource, keys: readonly string[], args: CommandArgs) {
  const all: (string | number | Buffer)[] = [sha, keys.length]
  for (const key of keys) all.push(key)
  if (sharedKeys !== undefined) all[1] = keys.length + pushValues(all, sharedKeys)
  for (const arg of args) all.push(arg)
  if (shared !== undefined) pushValues(all, shared)
  return all
}

function pushValues(all: (string | number | Buffer)[], values: Readonly<Record<string, string | number>>): number {
  const list = Object.values(values)
  all.push(...list)
  return list.length
}

/**
 * Lua that takes the shared values from the end of KEYS and ARGV. One `unpack` is cheaper than many calls of `table.remove`.
 */
export function sharedLocals({ sharedKeys = {}, shared = {} }: ScriptSource): string {
  const take = (list: 'KEYS' | 'ARGV', values: object): string => {
    const names = Object.keys(values)
    if (names.length === 0) return ''
    const drops = names.map(() => `${list}[#${list}] = nil\n`).join('')
    return `local ${names.join(', ')} = unpack(${list}, #${list} - ${names.length - 1})\n${drops}`
  }
  return take('KEYS', sharedKeys) + take('ARGV', shared)
}

/**
 * Runs a script. Its source is loaded into Redis at each connect, before anything else, so runs are EVALSHA and keep their
 * order; only after SCRIPT FLUSH a run is sent again as EVAL, after those that were in flight. `args` are those of EVALSHA.
 */
export function sendScript(
  { source }: SentScript,
  send: SendCommand,
  args: CommandArgs,
  onReply: (reply: ScriptReply) => void,
  onError: (error: unknown) => void,
): void {
  send('EVALSHA', args, onReply, (error) => {
    if (isUnknownScript(error)) send('EVAL', [source, ...args.slice(1)], onReply, onError)
    else onError(error)
  })
}
