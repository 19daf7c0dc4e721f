/**
 * The end of a log. Begins the log, and keeps the offset of an empty one, so that a position always has a lifetime.
 * Reply: `{ epoch, last, the offset before the newest records }`.
 */
export const HEAD_SCRIPT = `
-- KEYS 1 records  2 head  ARGV 1 number of newest records
local epoch, last = headOf(KEYS[2])
local count = tonumber(ARGV[1])
if epoch and call('PTTL', KEYS[2]) > TOMBSTONE_MS / 2 and count == 0 then return { epoch, last, last } end
if not epoch then
  epoch, last = whole(now), whole(now)
  local rows = call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
  if rows[1] then
    last = whole(math.max(now, offsetOf(rows[1][1])))
    epoch = last
  end
  saveHead(KEYS[2], epoch, last, '0', '0', '0', '')
  call('PEXPIRE', KEYS[2], TOMBSTONE_MS)
elseif call('PTTL', KEYS[2]) > 0 and call('PTTL', KEYS[2]) < TOMBSTONE_MS then
  call('PEXPIRE', KEYS[2], TOMBSTONE_MS)
end
local from = last
if count > 0 then
  local start = GROUPS == '' and whole(math.max(oldest, 0)) or '-'
  local rows = call('XREVRANGE', KEYS[1], '+', start, 'COUNT', count)
  local first = rows[#rows]
  if first then from = string.match(first[2][1], '^%d+') or whole(offsetOf(first[1]) - 1) end
end
return { epoch, last, from }
`

/** Records after an offset. Reply: `{ epoch, last, rows }`, without an epoch where the log does not exist. */
export const READ_SCRIPT = `
-- KEYS 1 records  2 head  ARGV 1 epoch or ''  2 offset  3 records at most  4 bytes at most
local epoch, last = headOf(KEYS[2])
if not epoch then return { '', '0', {} } end
local start = ARGV[1] == epoch and tonumber(ARGV[2]) + 1 or 0
if GROUPS == '' then start = math.max(start, oldest) end
local limit, bytes, found = tonumber(ARGV[3]), 0, {}
while #found < limit and bytes <= tonumber(ARGV[4]) do
  local rows = call('XRANGE', KEYS[1], whole(math.max(start, 0)), '+', 'COUNT', math.min(16, limit - #found))
  if #rows == 0 then break end
  for _, row in ipairs(rows) do
    if bytes > tonumber(ARGV[4]) then break end
    bytes = bytes + #row[2][2]
    found[#found + 1] = row
    start = offsetOf(row[1]) + 1
  end
end
return { epoch, last, found }
`

/** Records before an offset, newest first, and the first record of the log. Reply: `{ epoch, last, rows, { first row } }`. */
export const HISTORY_SCRIPT = `
-- KEYS 1 records  2 head  ARGV 1 offset or ''  2 records at most  3 bytes at most
local epoch, last = headOf(KEYS[2])
if not epoch then return { '', '0', {}, {} } end
local start = GROUPS == '' and whole(math.max(oldest, 0)) or '-'
local ending = ARGV[1] == '' and '+' or '(' .. ARGV[1] .. '-0'
local limit, bytes, found = tonumber(ARGV[2]), 0, {}
while #found < limit and bytes <= tonumber(ARGV[3]) do
  local rows = call('XREVRANGE', KEYS[1], ending, start, 'COUNT', math.min(16, limit - #found))
  if #rows == 0 then break end
  for _, row in ipairs(rows) do
    if bytes > tonumber(ARGV[3]) then break end
    bytes = bytes + #row[2][2]
    found[#found + 1] = row
    ending = '(' .. row[1]
  end
end
return { epoch, last, found, call('XRANGE', KEYS[1], start, '+', 'COUNT', 1) }
`

/** Removes up to 100 records. Reply: how many. */
export const TRIM_SCRIPT = `
-- KEYS 1 records  2 head  3 ids  ARGV 1 offset of the last one that is removed
local epoch, last, first, armed, lastId, marked = headOf(KEYS[2])
if not epoch or call('EXISTS', KEYS[1]) == 0 then return 0 end
local most = math.min(tonumber(ARGV[1]), floorOf(KEYS[1]) - 1)
local rows = call('XRANGE', KEYS[1], '-', '+', 'COUNT', 101)
local count = 0
while count < math.min(#rows, 100) and offsetOf(rows[count + 1][1]) <= most do count = count + 1 end
if count == 0 then return 0 end
local before = tonumber(first)
first = removeFirst(KEYS[1], rows, count, tonumber(last))
removeIds(KEYS[3], first, before, lastId)
saveHead(KEYS[2], epoch, last, whole(first), armed, lastId, marked)
return count
`
