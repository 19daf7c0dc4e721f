import { classifyRedisError } from './errors.ts'
import type { ScriptReply, ScriptSource } from './link-contract.ts'
import { groupFunction, REPLIES, sharedLocals, type SentScript } from './script.ts'

/** One run of a script. */
export interface ScriptRun {
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
}

/** Replies in order, and the errors of runs that failed, by their place. */
export interface RunOutcomes {
  readonly replies: readonly ScriptReply[]
  readonly errors?: ReadonlyMap<number, unknown>
}

/** Executes one run and stores its outcome. */
const RUN_ONE = `
local isDone, reply = pcall(run, keys, args)
if isDone and not (type(reply) == 'table' and reply.err) then
  replies[number] = reply or false
else
  local message = messageOf(reply)
  if number == 1 and CANNOT_SERVE[string.match(message, '^%u+')] then return redis.error_reply(message) end
  replies[number] = false
  failures[#failures + 1] = number - 1
  failures[#failures + 1] = message
end`

const EACH_RUN = `
  local keys
  for _ = 1, math.abs(runs) do
    if runs > 0 or not keys then
      keys = { unpack(KEYS, keysBefore + 1, keysBefore + keyCount) }
      keysBefore = keysBefore + keyCount
    end
    local args = { unpack(ARGV, argsBefore + 1, argsBefore + argCount) }
    number, argsBefore = number + 1, argsBefore + argCount
    ${RUN_ONE}
  end`

/** Executes the runs of a group. */
const RUN_GROUP = `
local isDone, thrown = pcall(run, keys, argsBefore, count, argCount, number)
if not isDone then
  local message = messageOf(thrown)
  if number == 0 and not replies[1] and CANNOT_SERVE[string.match(message, '^%u+')] then return redis.error_reply(message) end
  for place = number + 1, number + count do
    if replies[place] == nil then
      replies[place] = false
      failures[#failures + 1] = place - 1
      failures[#failures + 1] = message
    end
  end
end`

/** A positive number of runs: each has keys of its own. */
const GROUPS_OF_RUNS = `
  local count = math.max(1, -runs)
  for _ = 1, math.max(1, runs) do
    local keys = { unpack(KEYS, keysBefore + 1, keysBefore + keyCount) }
    keysBefore = keysBefore + keyCount
    ${RUN_GROUP}
    number, argsBefore = number + count, argsBefore + count * argCount
  end`

const runFunction = ({ shortcut, run }: ScriptSource): string => `
local function run(KEYS, ARGV)
${shortcut ?? ''}
${run}
end`

/**
 * A script that runs another one several times, each time with its own keys and arguments, as if each run were a command. An
 * error affects only its own run. If Redis cannot serve, the first run fails before anything ran: then the whole command fails
 * with that error, as a single run would.
 *
 * ARGV: groups of consecutive runs with equal numbers of keys and arguments. Each group is its number of runs, keys and
 * arguments per run, then the arguments. KEYS: those of all runs; a group with a negative number of runs has its keys once. Shared
 * keys and arguments come last in both. Reply: the replies in order (false for a failed run), then the position and message of
 * each failure.
 */
export const joinedSource = (script: ScriptSource): string => `${sharedLocals(script)}${script.setup ?? ''}
${REPLIES}${script.functions ?? ''}
${script.isGrouped === true ? groupFunction(script) : runFunction(script)}
local function messageOf(thrown)
  local text = type(thrown) == 'table' and thrown.err or tostring(thrown)
  -- Some versions of Redis throw their errors as text, behind the number of the line.
  text = string.gsub(string.gsub(text, '^@?user_script:%d+: ', ''), '^%-', '')
  return string.match(text, '^%u%u+ ') and text or 'ERR ' .. text
end
local CANNOT_SERVE = { READONLY = true, OOM = true, MISCONF = true, NOREPLICAS = true, MASTERDOWN = true }
local failures, number, keysBefore, argsBefore = {}, 0, 0, 0
while argsBefore < #ARGV do
  local runs, keyCount, argCount = tonumber(ARGV[argsBefore + 1]), tonumber(ARGV[argsBefore + 2]), tonumber(ARGV[argsBefore + 3])
  argsBefore = argsBefore + 3
  ${script.isGrouped === true ? GROUPS_OF_RUNS : EACH_RUN}
end
${script.finish ?? ''}
return { replies, failures }
`

/** The arguments of the EVALSHA of several runs: the SHA of the joined script, the number of keys, keys and arguments. */
export function joinedArguments(
  { sha }: SentScript,
  { sharedKeys = {}, shared = {} }: ScriptSource,
  runs: readonly ScriptRun[],
): (string | number)[] {
  const keys: string[] = []
  const args: (string | number)[] = []
  let last: ScriptRun | undefined
  let group = 0
  let size = 0
  for (const run of runs) {
    const isLike = last !== undefined && run.keys.length === last.keys.length && run.args.length === last.args.length
    // The same list. To compare the keys would cost more than it saves.
    const hasSameKeys = isLike && run.keys === last?.keys
    if (hasSameKeys && size <= 1) {
      size = size === 1 ? -2 : size - 1
    } else {
      if (isLike && !hasSameKeys && size > 0) {
        size += 1
      } else {
        ;[group, size] = [args.length, 1]
        args.push(0, run.keys.length, run.args.length)
      }
      for (const key of run.keys) keys.push(key)
    }
    args[group] = size
    for (const arg of run.args) args.push(arg)
    last = run
  }
  keys.push(...Object.values(sharedKeys))
  args.push(...Object.values(shared))
  return [sha, keys.length, ...keys, ...args]
}

/** The replies and errors of the runs, by their place, from the reply of the joined script. */
export function outcomesOf(reply: ScriptReply, runs: number): RunOutcomes {
  const [replies, failures] = Array.isArray(reply) ? reply : []
  if (!Array.isArray(replies) || !Array.isArray(failures) || replies.length !== runs) {
    const error = new Error('Redis sent no reply for a run of a script.')
    return { replies: [], errors: new Map(Array.from({ length: runs }, (_, place) => [place, error])) }
  }
  if (failures.length === 0) return { replies }
  const errors = new Map<number, unknown>()
  for (let place = 0; place < failures.length; place += 2) {
    errors.set(Number(failures[place]), classifyRedisError(replyError(String(failures[place + 1]))))
  }
  return { replies, errors }
}

/** An error like those that ioredis creates for error replies. */
const replyError = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' })
