import type { ScriptSource } from '@tutti/pubsub/redis'
import { FLOOR, REMOVE } from './script-head.ts'

/**
 * Logs as Lua tables: read once for all appends of a command, and written once after them. That is most of what an append costs
 * beyond its XADD and PUBLISH.
 */
const LOGS = `
local logs = {}
local function openLog(records, head)
  local epoch, last, first, armed, marked = headOf(head)
  local length = call('XLEN', records)
  if not epoch then
    epoch, last, first, armed, marked = whole(now), whole(now), '0', '0', ''
    -- The head can be lost alone. Records of the former lifetime stay, and new ones follow them.
    if call('EXISTS', records) == 1 then
      local info = tableOf(call('XINFO', 'STREAM', records))
      last = whole(math.max(now, offsetOf(info['last-generated-id'])))
      epoch = last
    end
  elseif length == 0 then
    -- What is made again has no time to live. The ids of records that have expired are still there.
    armed = '0'
    if call('HLEN', head) > 1 then
      call('DEL', head)
      saveHead(head, epoch, last, first, armed, marked)
      call('PEXPIRE', head, TOMBSTONE_MS)
    end
  end
  local log = { records = records, head = head, epoch = epoch, last = last, lastNumber = tonumber(last), length = length, added = 0 }
  log.first, log.armed, log.marked = tonumber(first), tonumber(armed), marked
  log.start = '{"log":"' .. string.sub(records, NAME_START, NAME_END) .. '","epoch":' .. epoch .. ',"offset":'
  logs[records] = log
  logs[#logs + 1] = log
  return log
end
`

/** Removes what is too much and too old. */
const TRIM = `
-- In steps: to remove one record costs nearly as much as to remove many.
local STEP = math.min(99, math.floor(MAX_RECORDS / 50))

local function trimPlain(log)
  local removed = 0
  if log.length > MAX_RECORDS then removed = call('XTRIM', log.records, 'MAXLEN', '=', MAX_RECORDS - STEP) end
  if log.first < oldest then removed = removed + call('XTRIM', log.records, 'MINID', '=', whole(math.max(oldest, 0)) .. '-0') end
  local row = call('XRANGE', log.records, '-', '+', 'COUNT', 1)[1]
  log.length = log.length - removed
  log.first = row and offsetOf(row[1]) or 0
end

-- Record by record: those with ids, and those that a group has yet to process.
local function trimSlowly(log)
  local excess = log.length - MAX_RECORDS
  if excess > 0 then excess = excess + STEP end
  local floor = GROUPS ~= '' and floorOf(log.records) or math.huge
  repeat
    local most = math.min(100, math.max(excess, log.first < oldest and 10 or 0))
    local rows, count = call('XRANGE', log.records, '-', '+', 'COUNT', most + 1), 0
    for i = 1, math.min(#rows, most) do
      local offset = offsetOf(rows[i][1])
      if offset >= floor or (i > excess and offset >= oldest) then break end
      count = i
    end
    if count > 0 then
      log.first = removeFirst(log.records, log.head, rows, count, log.lastNumber)
      log.length, excess = log.length - count, excess - count
    elseif rows[1] then
      log.first = offsetOf(rows[1][1])
    end
  until count < most or excess <= 0
end

local function trim(log)
  if log.length <= MAX_RECORDS and log.first >= oldest then return end
  if GROUPS == '' and call('HLEN', log.head) <= 1 then trimPlain(log) else trimSlowly(log) end
end
`

/**
 * One append: deduplicate, number, add, notify. Checks come before the first write, the notification comes last.
 *
 * Reply: `<epoch> <offset>` of the new record, ` known` behind it where the id is in the log; only the offset, as a number, after
 * another record of the log in the same command. `full`: a group is too far behind. `claim`: the log must be put into the index
 * of the pattern first; nothing was done.
 */
const RUN = `
-- KEYS 1 records  2 head
-- ARGV 1 the record: '"author":…,"self":true,"data":…'  2 id as JSON, '' or absent  3 given: the log is in the index
local log = logs[KEYS[1]] or openLog(KEYS[1], KEYS[2])
local body, id = ARGV[1], ARGV[2]
if id == '' then id = nil end
if id and log.length > 0 then
  local known = tonumber(call('HGET', log.head, id) or '')
  if known and known >= log.first and (GROUPS ~= '' or known >= oldest) then return log.epoch .. ' ' .. whole(known) .. ' known' end
end
if GROUPS ~= '' then
  if log.length == 0 and not ARGV[3] then return 'claim' end
  if log.length == 0 or log.marked ~= GROUPS then
    for group in string.gmatch(GROUPS, '%S+') do try('XGROUP', 'CREATE', log.records, group, '0', 'MKSTREAM') end
    log.marked = GROUPS
  end
  if log.length >= MAX_BACKLOG then
    trim(log)
    if log.length >= MAX_BACKLOG then return 'full' end
  end
end

local before, number = log.last, log.lastNumber < now and now or log.lastNumber + 1
local offset = format(WHOLE, number)
if id then
  call('XADD', log.records, offset, before, body, 'i', id)
  call('HSET', log.head, id, offset)
else
  call('XADD', log.records, offset, before, body)
end
if log.length == 0 then log.first = number end
log.last, log.lastNumber, log.length, log.added = offset, number, log.length + 1, log.added + 1

-- In one expression: each text that Lua makes costs as much as a short command.
if #body <= INLINE_BYTES then
  try('PUBLISH', CHANNEL, log.start .. offset .. ',"previous":' .. before .. ',' .. body .. '}')
else
  local data = string.find(body, '"data":', 1, true)
  local sent = #body - data - 6 <= INLINE_BYTES and body or string.sub(body, 1, data - 2)
  try('PUBLISH', CHANNEL, log.start .. offset .. ',"previous":' .. before .. (sent == '' and '}' or ',' .. sent .. '}'))
end
return log.added == 1 and log.epoch .. ' ' .. offset or number
`

/** Trims the logs of a command, renews their lifetimes and stores their heads. */
const FINISH = `
for _, log in ipairs(logs) do
  if log.added > 0 then
    trim(log)
    -- Renewed once in a while. Until then older records are left out when the log is read.
    local isDue = GROUPS == '' and log.armed < nowMs + MAX_AGE_MS
    log.armed = isDue and math.floor(nowMs + MAX_AGE_MS * 1.25) or GROUPS == '' and log.armed or 0
    saveHead(log.head, log.epoch, log.last, whole(log.first), whole(log.armed), log.marked)
    if isDue then expireAt(log.records, log.head, log.armed) end
    -- Only workers that have processed all of it let it expire.
    if GROUPS ~= '' then
      call('PERSIST', log.records)
      call('PERSIST', log.head)
    end
  end
end
`

/** The parts of the script. A log's name is that part of its key, from one place to the other. */
export const appendScript = (setup: string, name: { start: number; end: number }): ScriptSource => ({
  setup: `${setup}local NAME_START, NAME_END = ${name.start}, ${name.end}`,
  functions: FLOOR + REMOVE + LOGS + TRIM,
  run: RUN,
  finish: FINISH,
})
