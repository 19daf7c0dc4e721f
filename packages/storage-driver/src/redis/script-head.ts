/**
 * What the scripts share: what is known of a key when a script begins, and how a change is recorded and told.
 *
 * A key has its value (a plain string, as unstorage's own redis driver writes it), its state beside it and its name in
 * the index. The state is `<version>`, `<version> <expiry in ms>`, or `<version> d` once removed. Values come and go
 * without us, by expiry or by other programs; then the state is `stale`, and the next script that looks gives what is
 * there a version of its own (S1, S20).
 *
 * Lua numbers are doubles: microseconds since 1970 fit, but must be printed by `%.0f`. Lua never decodes a value.
 */
export const SCRIPT_HEAD = `
-- KEYS 1 value  2 state  3 index; where that is on another node of a Cluster: the state, or the value once the name is in it
-- ARGV 1 key  2 Redis channel  3 instanceId  4 message from the key up to the version  5 tombstoneMs
local call = redis.call
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local kind = call('TYPE', KEYS[1]).ok
local here = kind == 'string'
local version, mark = string.match(call('GET', KEYS[2]) or '', '^(%d+) ?(.*)$')
version, mark = version or '0', mark or 'd'
local stale = here ~= (mark ~= 'd')
local listed = here and not stale
local indexed = KEYS[3] ~= KEYS[1] and KEYS[3] ~= KEYS[2]
-- What is created now must be put into the index first: the script answers 'claim', and is run again when that is done.
local unnamed = KEYS[3] == KEYS[2] and not listed

local function whole(number) return string.format('%.0f', number) end

local function expiryOfValue()
  local left = call('PTTL', KEYS[1])
  return left > 0 and whole(now / 1000 + left) or ''
end

-- Gives what is there now the next version.
local function record(expiry)
  version = whole(math.max(version + 1, now))
  if not here then
    call('SET', KEYS[2], version .. ' d', 'PX', ARGV[5])
    if indexed then call('ZREM', KEYS[3], ARGV[1]) end
  elseif expiry == '' then
    call('SET', KEYS[2], version)
  else
    -- The state outlives its value, so that its version does, but not for ever.
    call('SET', KEYS[2], version .. ' ' .. expiry, 'PXAT', whole(expiry + ARGV[5]))
  end
  if here and not listed and indexed then call('ZADD', KEYS[3], 0, ARGV[1]) end
end

-- Tells everyone; last of all and by pcall, for a refused PUBLISH must not make a done write look refused.
local function announce(expiry, tail)
  local message = '{"origin":"' .. ARGV[3] .. '","event":"' .. (here and 'update' or 'remove') .. '",' .. ARGV[4] .. version
  if expiry ~= '' then message = message .. ',"expiresAt":' .. expiry end
  redis.pcall('PUBLISH', ARGV[2], message .. tail .. '}')
end

-- Gives a value that came or went without us its version, and says so without the value: it may be no JSON.
local function adopt()
  local expiry = expiryOfValue()
  record(expiry)
  announce(expiry, '')
  return expiry
end
`
