/**
 * One append: deduplicate, trim, number, add, notify. Checks come before the first write, the notification comes last.
 *
 * Reply: `{ epoch, offset }` of the new record; with a third item 'known' where the id is in the log. 'full': a group is too far
 * behind. 'claim': the log must be put into the index of the pattern first; nothing was done.
 */
export const APPEND_SCRIPT = `
-- KEYS 1 records  2 head  3 ids
-- ARGV 1 message up to the epoch  2 data  3 author or ''  4 '1': the author receives it too  5 id or ''  6 '1': in the index
local records, head, ids, data, id = KEYS[1], KEYS[2], KEYS[3], ARGV[2], ARGV[5]
local epoch, last, first, armed, idsArmed, marked = partsOf(call('GET', head))
if not epoch then
  epoch, last, first, armed, idsArmed, marked = whole(now), whole(now), '0', '0', '0', ''
  -- The head can be lost alone. Records of the former lifetime stay, and new ones follow them.
  if call('EXISTS', records) == 1 then
    local info = tableOf(call('XINFO', 'STREAM', records))
    last = whole(math.max(now, offsetOf(info['last-generated-id'])))
    epoch = last
  end
end
if id ~= '' then
  local known = call('HGET', ids, id)
  if known and (GROUPS ~= '' or tonumber(known) >= oldest) then return { epoch, known, 'known' } end
end

local length = call('XLEN', records)
if GROUPS ~= '' then
  if length == 0 and ARGV[6] == '' then return { epoch, '0', 'claim' } end
  if length == 0 or marked ~= GROUPS then
    for group in string.gmatch(GROUPS, '%S+') do redis.pcall('XGROUP', 'CREATE', records, group, '0', 'MKSTREAM') end
    marked = GROUPS
  end
end

local excess = length + 1 - MAX_RECORDS
-- In steps: to remove one record costs nearly as much as to remove many.
if excess > 0 then excess = excess + math.min(99, math.floor(MAX_RECORDS / 50)) end
local isOld = tonumber(first) < oldest
if length > 0 and (excess > 0 or isOld) then
  local floor = GROUPS ~= '' and floorOf(records) or math.huge
  local most = math.min(100, math.max(excess, isOld and 10 or 0))
  local rows = call('XRANGE', records, '-', '+', 'COUNT', most + 1)
  local count = 0
  for i = 1, math.min(#rows, most) do
    local offset = offsetOf(rows[i][1])
    if offset >= floor or (i > excess and offset >= oldest) then break end
    count = i
  end
  if count > 0 then
    first = removeFirst(records, ids, rows, count, tonumber(last)) or '0'
    length = length - count
    if idsArmed == '1' and call('EXISTS', ids) == 0 then idsArmed = '0' end
  elseif length >= MAX_BACKLOG then
    return { epoch, '0', 'full' }
  end
end

local offset = whole(math.max(last + 1, now))
local fields = { 'd', data, 'p', last }
local function field(name, value)
  if value == '' then return end
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
field('a', ARGV[3])
field('s', ARGV[4])
field('i', id)
call('XADD', records, offset .. '-0', unpack(fields))
if id ~= '' then call('HSET', ids, id, offset) end
if length == 0 then first = offset end

local nowMs = math.floor(now / 1000)
local lifetime = {}
if GROUPS ~= '' then
  -- Only workers that have processed all of it let it expire.
  if armed ~= '0' then
    call('PERSIST', records)
    call('PERSIST', ids)
    armed, idsArmed = '0', '0'
  end
elseif tonumber(armed) < nowMs + MAX_AGE_MS then
  -- Renewed once in a while. Until then older records are left out when the log is read.
  armed, idsArmed = whole(nowMs + MAX_AGE_MS * 1.25), '0'
  call('PEXPIREAT', records, armed)
  lifetime = { 'PXAT', whole(armed + TOMBSTONE_MS) }
else
  lifetime = { 'KEEPTTL' }
end
if id ~= '' and armed ~= '0' and idsArmed == '0' then
  call('PEXPIREAT', ids, armed)
  idsArmed = '1'
end
call('SET', head, epoch .. ' ' .. offset .. ' ' .. first .. ' ' .. armed .. ' ' .. idsArmed .. ' ' .. marked, unpack(lifetime))

local message = ORIGIN .. ARGV[1] .. '"epoch":' .. epoch .. ',"offset":' .. offset .. ',"previous":' .. last
if #data <= INLINE_BYTES then message = message .. ',"data":' .. data end
redis.pcall('PUBLISH', CHANNEL, message .. '}')
return { epoch, offset }
`
