import type { ScriptSource } from '@tutti/pubsub/redis'
import { RECORD_SEPARATOR } from './append-message.ts'
import { FLOOR, REMOVE } from './script-head.ts'

/**
 * Logs as Lua tables: read once for all appends of a command, together with the offsets of all ids of the command, and written once
 * after them. That is most of what an append costs beyond its XADD and PUBLISH.
 */
const LOGS = `
local logs, idsOf = {}, {}
local function openLog(records, head, former)
  local ids = idsOf[head] or {}
  local found = call('HMGET', head, '$', unpack(ids))
  local epoch, last, first, armed, turn, marked = partsOf(found[1])
  local length, known = call('XLEN', records), {}
  if not epoch then
    epoch, last, first, armed, turn, marked = whole(now), whole(now), '0', '0', '0', ''
    -- The head can be lost alone. Records of the former lifetime stay, and new ones follow them.
    if call('EXISTS', records) == 1 then
      local info = tableOf(call('XINFO', 'STREAM', records))
      last = whole(math.max(now, offsetOf(info['last-generated-id'])))
      epoch = last
    end
  elseif length == 0 then
    -- What is made again has no time to live. The ids of records that have expired are still there.
    armed, turn = '0', '0'
    call('UNLINK', head, former)
    saveHead(head, epoch, last, first, armed, turn, marked)
    call('PEXPIRE', head, TOMBSTONE_MS)
  elseif ids[1] then
    -- Those of the head come last: they are newer. The former ones are read only while the log has one of their records.
    local older = tonumber(turn) >= tonumber(first) and call('HMGET', former, unpack(ids)) or {}
    for i = 1, #ids do
      local offset = found[i + 1] or older[i]
      if offset then known[ids[i]] = tonumber(offset) end
    end
  end
  local log = { records = records, head = head, former = former, epoch = epoch, length = length, known = known, newIds = {}, added = 0 }
  log.last, log.lastNumber, log.start = last, tonumber(last), last
  log.first, log.armed, log.turn, log.marked = tonumber(first), tonumber(armed), turn, marked
  log.notice, log.noticeSize = {}, 0
  logs[records] = log
  logs[#logs + 1] = log
  return log
end
`

/** Notifications of a log. Its parts are joined once, because each text that Lua makes costs as much as a short command. */
const NOTIFY = `
-- Texts of more than 8 kB are copied twice.
local SEPARATOR, NOTICE_PARTS = '${RECORD_SEPARATOR}', 120
local function startOf(log, before)
  return '{"log":"' .. string.sub(log.records, NAME_START, NAME_END) .. '","epoch":' .. log.epoch .. ',"previous":' .. before .. '}'
end
local function notify(log)
  try('PUBLISH', CHANNEL, table.concat(log.notice))
  log.notice, log.noticeSize = {}, 0
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

-- Record by record: none that a group has yet to process.
local function trimSlowly(log)
  local excess = log.length - MAX_RECORDS
  if excess > 0 then excess = excess + STEP end
  local floor = floorOf(log.records)
  repeat
    local most = math.min(100, math.max(excess, log.first < oldest and 10 or 0))
    local rows, count = call('XRANGE', log.records, '-', '+', 'COUNT', most + 1), 0
    for i = 1, math.min(#rows, most) do
      local offset = offsetOf(rows[i][1])
      if offset >= floor or (i > excess and offset >= oldest) then break end
      count = i
    end
    if count > 0 then
      log.first = removeFirst(log.records, rows, count, log.lastNumber)
      log.length, excess = log.length - count, excess - count
    elseif rows[1] then
      log.first = offsetOf(rows[1][1])
    end
  until count < most or excess <= 0
end

local function trim(log)
  if log.length <= MAX_RECORDS and log.first >= oldest then return end
  if GROUPS == '' then trimPlain(log) else trimSlowly(log) end
  log.isTrimmed = true
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
-- KEYS 1 records  2 head  3 former
-- ARGV 1 the record: '"author":…,"self":true,"data":…'  2 id as JSON, '' or absent  3 given: the log is in the index
local log = logs[KEYS[1]] or openLog(KEYS[1], KEYS[2], KEYS[3])
local body, id = ARGV[1], ARGV[2]
if id == '' then id = nil end
local known = id and log.known[id]
if known and known >= log.first and (GROUPS ~= '' or known >= oldest) then return log.epoch .. ' ' .. whole(known) .. ' known' end
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
  local newIds = log.newIds
  log.known[id], newIds[#newIds + 1], newIds[#newIds + 2] = number, id, offset
else
  call('XADD', log.records, offset, before, body)
end
if log.length == 0 then log.first = number end
log.last, log.lastNumber, log.length, log.added = offset, number, log.length + 1, log.added + 1

local notice, size = log.notice, log.noticeSize
if size == 0 then notice[1], size = startOf(log, before), 1 end
if #body > INLINE_BYTES then
  local data = string.find(body, '"data":', 1, true)
  if #body - data - 6 > INLINE_BYTES then body = string.sub(body, 1, data - 1) end
end
notice[size + 1], notice[size + 2], notice[size + 3], log.noticeSize = SEPARATOR, offset, body, size + 3
if size > NOTICE_PARTS then notify(log) end
return log.added == 1 and log.epoch .. ' ' .. offset or number
`

/** What the ids of a command are known by, before the first append. */
const COLLECT = `
local id, head = ARGV[2], KEYS[2]
if id and id ~= '' then
  local ids = idsOf[head]
  if ids then ids[#ids + 1] = id else idsOf[head] = { id } end
end
`

/** Trims the logs of a command, renews their lifetimes and stores their heads with the new ids. */
const FINISH = `
for _, log in ipairs(logs) do
  if log.added > 0 then trim(log) end
  if log.added > 0 or log.isTrimmed then
    local leftMs = 0
    if log.isTrimmed then log.turn, leftMs = turnIds(log.head, log.former, log.first, log.start, log.turn) end
    -- Renewed once in a while. Until then older records are left out when the log is read.
    local isDue = GROUPS == '' and log.armed < nowMs + MAX_AGE_MS
    log.armed = isDue and math.floor(nowMs + MAX_AGE_MS * 1.25) or GROUPS == '' and log.armed or 0
    saveHead(log.head, log.epoch, log.last, whole(log.first), whole(log.armed), log.turn, log.marked, unpack(log.newIds))
    if leftMs > 0 then call('PEXPIRE', log.head, whole(leftMs)) end
    if isDue then expireAt(log.records, log.head, log.former, log.armed) end
    -- Only workers that have processed all of it let it expire.
    if GROUPS ~= '' then
      for _, key in ipairs({ log.records, log.head, log.former }) do call('PERSIST', key) end
    end
    if log.noticeSize > 0 then notify(log) end
  end
end
`

/** The parts of the script. A log's name is that part of its key, from one place to the other. */
export const appendScript = (setup: string, name: { start: number; end: number }): ScriptSource => ({
  setup: `${setup}local NAME_START, NAME_END = ${name.start}, ${name.end}`,
  functions: FLOOR + REMOVE + LOGS + NOTIFY + TRIM,
  collect: COLLECT,
  run: RUN,
  finish: FINISH,
})
