import { NUMBER_TEXT } from './number-text.ts'
import { SCRIPT_HEAD } from './script-head.ts'

/**
 * One write: check, apply, version, remember, index, announce (S5). Every check stands before the first write, for a
 * script is not rolled back.
 *
 * Reply: `{ verdict, version, text, author }`. `author` is the place of the author whose memory answered, or -1.
 * - `ok`: done; text is the sum of an increment, the base of a patch (the new version where several authors share it).
 * - `conflict` (text: the value now; as remembered: none), `number`, `type`: refused for good, and remembered.
 * - `base`: a patch was merged into another version than the newest; text is the newest value. `passed`: a later number
 *   of the author was handled. `late`: past the deadline; version is Redis' time in microseconds.
 * - `claim`: it would create the entry, whose name must be in the index first; nothing was done.
 */
export const WRITE_SCRIPT = `${SCRIPT_HEAD}
-- KEYS 4.. memory of each author on this key: "<number> <verdict> <version> <text>"
-- ARGV 6 set | remove | increment | patch  7 text, or the number to add  8 end of the message ('=': the text as value), or the initial number
--      9 '' | if | base  10 version expected (if 0: absent)  11 ttlMs or ''  12 deadline in us  13 mutationMemoryMs  14.. number of each author
local op, text, tail, ttl = ARGV[6], ARGV[7], ARGV[8], ARGV[11]

for i = 4, #KEYS do
  local memory = call('GET', KEYS[i])
  if memory then
    local last, verdict, at, result = string.match(memory, '^(%d+) (%a+) (%d+) ?(.*)$')
    if tonumber(ARGV[i + 10]) < tonumber(last) then return { 'passed', '0', '', i - 4 } end
    if tonumber(ARGV[i + 10]) == tonumber(last) then return { verdict, at, result, i - 4 } end
  end
end
-- After the memory, so that asking again late still finds the answer. What is late and not found there will never run.
if now > tonumber(ARGV[12]) then return { 'late', whole(now), '', -1 } end

local function remember(verdict, result)
  for i = 4, #KEYS do call('SET', KEYS[i], ARGV[i + 10] .. ' ' .. verdict .. ' ' .. version .. ' ' .. result, 'PX', ARGV[13]) end
end

local function refuse(verdict)
  remember(verdict, '')
  return { verdict, version, verdict == 'conflict' and here and call('GET', KEYS[1]), -1 }
end

if not here and kind ~= 'none' then return refuse('type') end

local condition, expected = ARGV[9], ARGV[10]
local met = condition == '' or (condition == 'if' and expected == '0' and not here) or (not stale and version == expected)
if not met then
  if stale and here and unnamed then return { 'claim', '0', '', -1 } end
  if stale then adopt() end
  if condition == 'if' then return refuse('conflict') end
  return { 'base', version, here and call('GET', KEYS[1]), -1 }
end

${NUMBER_TEXT}

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
-- Who patched together with others can't make the value from a base and a patch of its own: then the base is the new version.
local base = #KEYS > 4 and version or before
local result = op == 'increment' and text or op == 'patch' and base or ''
remember('ok', result)
announce(expiry, tail == '=' and ',"value":' .. text or tail)
return { 'ok', version, result, -1 }
`
