import { SCRIPT_HEAD } from './script-head.ts'

/**
 * The fast path: a set of a small value, without condition and lifetime, of an existing entry that does not expire. Its run has
 * no arguments beyond the number of its author. In any other case it does nothing, and the full script follows.
 */
export const PLAIN_SET = `
if #ARGV <= 4 and now <= tonumber(ARGV[3]) then
  -- Anything else than a bare version is no number.
  local last = tonumber(call('GET', KEYS[2]) or '')
  local number, memory = ARGV[4], nil
  if last and number then memory = call('GET', KEYS[3]) end
  local isNew = not memory or tonumber(number) > tonumber(string.match(memory, '^%d+'))
  -- To set a string and get the old one costs more than both calls, for large values.
  if last and isNew and call('TYPE', KEYS[1]).ok == 'string' then
    call('SET', KEYS[1], ARGV[2])
    local version, text = now, nowText
    if last >= now then
      version = last + 1
      text = string.format('%.0f', version)
    end
    call('SET', KEYS[2], text)
    if number then
      memoryEnd = memoryEnd or string.format('%.0f', ms + MEMORY_MS)
      call('SET', KEYS[3], number .. ' ok ' .. text .. ' ', 'PXAT', memoryEnd)
    end
    redis.pcall('PUBLISH', CHANNEL, ORIGIN .. 'update",' .. ARGV[1] .. text .. ',"value":' .. ARGV[2] .. '}')
    return version
  end
end
`

/** Takes the arguments of a guard from the end of KEYS and ARGV: see `GUARD_CHECK`. */
const GUARD_ARGUMENTS = `
local LOCK = table.remove(KEYS)
local needsAlways, requiredOwner, boundTo = table.remove(ARGV), table.remove(ARGV), table.remove(ARGV)
`

/**
 * The lock of a guarded write (L2, L5). A bound write needs a grant with its token that has not ended, also while its holder is
 * disconnected. For any other write a lock whose time has passed counts as none.
 */
const GUARD_CHECK = `
local token, lockKind, owner, till = string.match(call('GET', LOCK) or '', '^(%d+) (%a) ?(%S*) ?(%d*)')
local isLocked = token and lockKind ~= 'd'
if boundTo ~= '0' then
  if not isLocked or token ~= boundTo then return refuse('lost') end
  if requiredOwner ~= '' and requiredOwner ~= owner then return refuse('locked') end
elseif needsAlways ~= '' or (isLocked and not (lockKind == 'u' and ms >= tonumber(till))) then
  return refuse('locked')
end
`

/**
 * One write: check, apply, version, remember, index, announce (S5). Every check precedes the first write, because a script is
 * not rolled back.
 *
 * Reply: the version if it is done without further details, else `{ verdict, version, text, author }`. `author` is the index of
 * the author with a remembered outcome, or -1.
 * - `ok`: done; text is the sum of an increment, the base of a patch (the new version if several authors share it).
 * - `conflict` (text: the current value; if remembered: none), `number`, `type`, `lost`, `locked`: refused for good, and
 *   remembered.
 * - `base`: a patch was not merged into the newest version; text is the newest value. `passed`: a later number of the author
 *   was handled. `late`: past the deadline; version is Redis' time in microseconds.
 * - `claim`: it would create the entry, whose name must be in the index first; nothing was done.
 */
const writeScript = (guardArguments: string, guardCheck: string): string => `${SCRIPT_HEAD}${guardArguments}
-- KEYS 3.. memory of each author on this key: "<number> <verdict> <version> <text>"
-- ARGV 2 text, or the number to add  3 deadline in us; then either the number of one author at most: a plain set; or
--      4 set | remove | increment | patch  5 end of the message ('=': the text as value), or the initial number
--      6 '' | if | base  7 version expected (if 0: absent)  8 ttlMs or ''  9.. number of each author
local text, op, tail, condition, expected, ttl, numbersBefore = ARGV[2], 'set', '=', '', '0', '', 3
if #ARGV > 4 then
  op, tail, condition, expected, ttl = unpack(ARGV, 4, 8)
  numbersBefore = 8
end
local authors = #KEYS - 2

for i = 1, authors do
  local memory, number = call('GET', KEYS[i + 2]), tonumber(ARGV[numbersBefore + i])
  if memory then
    local last, verdict, at, result = string.match(memory, '^(%d+) (%a+) (%d+) ?(.*)$')
    if number < tonumber(last) then return { 'passed', '0', '', i - 1 } end
    if number == tonumber(last) then return { verdict, at, result, i - 1 } end
  end
end
-- After the memory, so that asking again late still finds the answer. What is late and not found there will never run.
if now > tonumber(ARGV[3]) then return { 'late', nowText, '', -1 } end

local function remember(verdict, result)
  for i = 1, authors do
    call('SET', KEYS[i + 2], ARGV[numbersBefore + i] .. ' ' .. verdict .. ' ' .. version .. ' ' .. result, 'PXAT', memoryEnd)
  end
end

local function refuse(verdict)
  remember(verdict, '')
  return { verdict, version, verdict == 'conflict' and here and call('GET', KEYS[1]), -1 }
end

${guardCheck}
if not here and kind ~= 'none' then return refuse('type') end

local met = condition == '' or (condition == 'if' and expected == '0' and not here) or (not stale and version == expected)
if not met then
  if stale and here and unnamed then return { 'claim', '0', '', -1 } end
  if stale then adopt() end
  if condition == 'if' then return refuse('conflict') end
  return { 'base', version, here and call('GET', KEYS[1]), -1 }
end

if op == 'increment' then
  local number = numberOf(here and call('GET', KEYS[1]) or tail)
  local sum = number and number + tonumber(text)
  -- What is beyond the safe integers has no fraction.
  if not sum or math.abs(sum) > 9007199254740991 then return refuse('number') end
  text = textOfNumber(sum)
  tail = '='
end

if op ~= 'remove' and unnamed then return { 'claim', '0', '', -1 } end

local before, expiry = version, ''
if op == 'remove' then
  call('UNLINK', KEYS[1])
elseif op ~= 'set' then
  -- Increments and patches keep the time that the entry has left (S18).
  if listed then expiry = mark elseif here then expiry = expiryOfValue() end
  call('SET', KEYS[1], text, 'KEEPTTL')
elseif ttl ~= '' then
  expiry = whole(now / 1000 + ttl)
  call('SET', KEYS[1], text, 'PXAT', expiry)
else
  call('SET', KEYS[1], text)
end

here = op ~= 'remove'
record(expiry)
-- A writer that patched together with others can't make the value from a base and its own patch: then the base is the new version.
local base = authors > 1 and version or before
local result = op == 'increment' and text or op == 'patch' and base or ''
remember('ok', result)
announce(expiry, tail == '=' and ',"value":' .. text or tail)
return result == '' and tonumber(version) or { 'ok', version, result, -1 }
`

/** Writes without a guard. */
export const WRITE_SCRIPT = writeScript('', '')

/** Writes that need a lock. The last of KEYS is the lock's record; the last of ARGV are token, owner and `always` of the guard. */
export const GUARDED_WRITE_SCRIPT = writeScript(GUARD_ARGUMENTS, GUARD_CHECK)
