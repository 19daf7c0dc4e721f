import { classifyRedisError } from './errors.ts'
import type { ScriptReply } from './link-contract.ts'

/** One run of a script. */
export interface ScriptRun {
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
}

/** What became of one run. */
export type RunOutcome = { readonly reply: ScriptReply } | { readonly error: unknown }

/**
 * A script that runs another one several times, each time with keys and arguments of its own, as if each run were a command.
 * An error ends its own run only. Where Redis cannot serve, nothing has run yet when the first one says so: then the whole
 * command fails with that error, as a single run would.
 *
 * ARGV: the number of runs, then for each its number of keys, its number of arguments and these. KEYS: those of all runs.
 */
export const joinedSource = (source: string): string => `
local function run(KEYS, ARGV)
${source}
end
local function messageOf(thrown)
  local text = type(thrown) == 'table' and thrown.err or tostring(thrown)
  -- Some versions of Redis throw their errors as text, behind the number of the line.
  text = string.gsub(string.gsub(text, '^@?user_script:%d+: ', ''), '^%-', '')
  return string.match(text, '^%u%u+ ') and text or 'ERR ' .. text
end
local outcomes, keysBefore, argsBefore = {}, 0, 1
for number = 1, tonumber(ARGV[1]) do
  local keyCount, argCount = tonumber(ARGV[argsBefore + 1]), tonumber(ARGV[argsBefore + 2])
  argsBefore = argsBefore + 2
  local keys, args = {}, {}
  for index = 1, keyCount do keys[index] = KEYS[keysBefore + index] end
  for index = 1, argCount do args[index] = ARGV[argsBefore + index] end
  keysBefore, argsBefore = keysBefore + keyCount, argsBefore + argCount
  local isDone, reply = pcall(run, keys, args)
  if isDone and type(reply) == 'table' and reply.err then isDone = false end
  if isDone then
    outcomes[number] = { 1, reply }
  else
    local message = messageOf(reply)
    local isAway = string.match(message, '^READONLY') or string.match(message, '^OOM') or string.match(message, '^MISCONF')
      or string.match(message, '^NOREPLICAS') or string.match(message, '^MASTERDOWN')
    if number == 1 and isAway then return redis.error_reply(message) end
    outcomes[number] = { 0, message }
  end
end
return outcomes
`

/** Keys and arguments of several runs as those of the joined script, with the number of keys before them. */
export function joinedArguments(runs: readonly ScriptRun[]): (string | number)[] {
  const keys = runs.flatMap((run) => run.keys)
  return [keys.length, ...keys, runs.length, ...runs.flatMap(({ keys: own, args }) => [own.length, args.length, ...args])]
}

/** What became of the run with this index, as the joined script's reply tells. */
export function outcomeOf(reply: ScriptReply, index: number): RunOutcome {
  const outcome = Array.isArray(reply) ? reply[index] : undefined
  if (!Array.isArray(outcome)) return { error: new Error('Redis gave no reply for a run of a script.') }
  const [isDone, value = null] = outcome
  return isDone === 1 ? { reply: value } : { error: classifyRedisError(replyError(String(value))) }
}

/** An error as ioredis makes it of an error reply. */
const replyError = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' })
