import { NUMBER_TEXT } from './number-text.ts'

/**
 * Shared by the scripts: the state of a key at the beginning of a run, and functions that record and announce a change.
 *
 * A key has its value (a plain string, as unstorage's own redis driver writes it), its state beside it and its name in the
 * index. The state is `<version>`, `<version> <expiry in ms>`, or `<version> d` once removed. Values may expire or be changed
 * by other programs; then the state is `stale`, and the next script that reads it gives the current value its own version (S1,
 * S20).
 *
 * Lua numbers are doubles: microseconds since 1970 fit, but must be printed by `%.0f`. Lua never decodes a value.
 *
 * Of each store: INDEX (a key; absent if it is on another node of a Cluster), NAMED ('' if the names of new entries are not in
 * the index yet), CHANNEL, ORIGIN (the message up to its event), KEY_START (the position of the key in the Redis key of its
 * value), TOMBSTONE_MS, MEMORY_MS. INDEX, CHANNEL and ORIGIN are sent once in a command. The others are in the source, as they
 * are the same for all instances.
 */
export const SCRIPT_SETUP = `
local call = redis.call
-- All runs of one command happen at once, so they have one time.
local time = call('TIME')
-- Concatenation is faster than formatting the number.
local nowText = time[1] .. string.rep('0', 6 - #time[2]) .. time[2]
local now = tonumber(nowText)
-- Redis would rewrite a PX as a PXAT, for each of them.
local ms, memoryEnd = math.floor(now / 1000), nil
`

/** Functions that a plain set does not need. */
export const SCRIPT_FUNCTIONS = `
local function whole(number) return string.format('%.0f', number) end
${NUMBER_TEXT}
local tombstoneEnd = whole(ms + TOMBSTONE_MS)
memoryEnd = whole(ms + MEMORY_MS)
`

/** The beginning of a run, after its fast path. */
export const SCRIPT_HEAD = `
-- KEYS 1 value  2 state  ARGV 1 message from the key up to the version
local kind = call('TYPE', KEYS[1]).ok
local here = kind == 'string'
local version, mark = string.match(call('GET', KEYS[2]) or '', '^(%d+) ?(.*)$')
version, mark = version or '0', mark or 'd'
local stale = here ~= (mark ~= 'd')
local listed = here and not stale
-- What is created now must be put into the index first: the script answers 'claim', and is run again when that is done.
local unnamed = NAMED == '' and not listed

local function nameOfKey() return string.sub(KEYS[1], KEY_START) end

local function expiryOfValue()
  local left = call('PTTL', KEYS[1])
  return left > 0 and whole(now / 1000 + left) or ''
end

-- Gives what is there now the next version.
local function record(expiry)
  version = whole(math.max(version + 1, now))
  if not here then
    call('SET', KEYS[2], version .. ' d', 'PXAT', tombstoneEnd)
    if INDEX then call('ZREM', INDEX, nameOfKey()) end
  elseif expiry == '' then
    call('SET', KEYS[2], version)
  else
    -- The state outlives its value, so that its version does, but not for ever.
    call('SET', KEYS[2], version .. ' ' .. expiry, 'PXAT', whole(expiry + TOMBSTONE_MS))
  end
  if here and not listed and INDEX then call('ZADD', INDEX, 0, nameOfKey()) end
end

-- Tells everyone; last of all and by pcall, for a refused PUBLISH must not make a done write look refused.
local function announce(expiry, tail)
  local message = ORIGIN .. (here and 'update",' or 'remove",') .. ARGV[1] .. version
  if expiry ~= '' then message = message .. ',"expiresAt":' .. expiry end
  redis.pcall('PUBLISH', CHANNEL, message .. tail .. '}')
end

-- Gives a value that came or went without us its version, and says so without the value: it may be no JSON.
local function adopt()
  local expiry = expiryOfValue()
  record(expiry)
  announce(expiry, '')
  return expiry
end
`
