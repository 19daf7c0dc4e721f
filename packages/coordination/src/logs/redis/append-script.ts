import type { ScriptSource } from '@tutti/pubsub/redis'
import { RECORD_SEPARATOR } from './append-message.ts'
import { IDS } from './ids-script.ts'
import { NEXT_TEXT, OFFSETS } from './offsets-script.ts'
import { FLOOR, REMOVE } from './script-head.ts'
import { TRIM } from './trim-script.ts'

/** Logs as Lua tables: read once for all appends of a command, and written once after them. */
const LOGS = `
local logs = {}
local function openLog(records, head, ids)
  local epoch, last, first, armed, lastId, marked = headOf(head)
  local length = call('XLEN', records)
  if not epoch then
    epoch, last, first, armed, lastId, marked = whole(now), whole(now), '0', '0', '0', ''
    -- The head can be lost alone. Records of the former lifetime stay with their ids, and new ones follow them.
    if length > 0 then
      local info = tableOf(call('XINFO', 'STREAM', records))
      last = whole(math.max(now, offsetOf(info['last-generated-id'])))
      epoch, lastId = last, last
    end
  end
  if length == 0 then
    -- The ids of records that have expired or are lost may still be there. What is made again has no time to live.
    armed, lastId = '0', '0'
    call('UNLINK', ids)
    call('PEXPIRE', head, TOMBSTONE_MS)
  end
  local log = { records = records, head = head, ids = ids, epoch = epoch, length = length, added = 0, last = last, lastNumber = tonumber(last) }
  log.first, log.armed, log.lastId, log.marked = tonumber(first), tonumber(armed), lastId, marked
  log.notice = {}
  logs[records] = log
  logs[#logs + 1] = log
  return log
end
`

/** Notifications of a log. Its parts are joined once, because each text that Lua makes costs as much as a short command. */
const NOTIFY = `
-- Texts of more than 8 kB are copied twice.
local SEPARATOR, NOTICE_PARTS = '${RECORD_SEPARATOR}', 80
local function startOf(log, before)
  return '{"log":"' .. string.sub(log.records, NAME_START, NAME_END) .. '","epoch":' .. log.epoch .. ',"previous":' .. before .. '}'
end
local function notify(notice)
  try('PUBLISH', CHANNEL, table.concat(notice, SEPARATOR))
end
-- Without data that is too long.
local function shortOf(body)
  local data = string.find(body, '"data":', 1, true)
  return #body - data - 6 > INLINE_BYTES and string.sub(body, 1, data - 1) or body
end
`

/** With groups of workers. Returns true where all runs have a reply. */
const GROUPED = `
local function refuse(log, run, KEYS, before, runs, size, number)
  local function split()
    for i = 1, runs do run(KEYS, before + (i - 1) * size, 1, size, number + i - 1) end
    return true
  end
  if log.length == 0 and size < 3 then
    for i = 1, runs do replies[number + i] = 'claim' end
    return true
  end
  -- Some of them may have an id, and some not.
  if size == 3 and runs > 1 then return split() end
  if log.length == 0 or log.marked ~= GROUPS then
    for group in string.gmatch(GROUPS, '%S+') do try('XGROUP', 'CREATE', log.records, group, '0', 'MKSTREAM') end
    log.marked = GROUPS
  end
  if log.length + runs <= MAX_BACKLOG then return false end
  -- One by one, so that an id is found before its record is trimmed.
  if runs > 1 then return split() end
  local id = ARGV[before + 2]
  local offset = tonumber(id and id ~= '' and call('ZSCORE', log.ids, id) or -1)
  if offset < log.first then
    trim(log, 1)
    if log.length < MAX_BACKLOG then return false end
  end
  replies[number + 1] = offset >= log.first and log.epoch .. ' ' .. whole(offset) .. ' known' or 'full'
  return true
end
`

/**
 * Adds the records of a group from an offset on. `list`: the ZADD that stored their ids; `known`: the offsets of those that are in
 * the log, by their place. All that the loop uses is in locals of its own: other variables cost twice as much.
 */
const ADD = `
local function addAll(log, before, runs, size, number, offset, list, known)
  local ARGV, replies, call, tensOf, DIGITS, INLINE_BYTES, NOTICE_PARTS = ARGV, replies, call, tensOf, DIGITS, INLINE_BYTES, NOTICE_PARTS
  local records, last, notice, parts, following = log.records, log.last, log.notice, #log.notice, log.lastNumber + 1
  local tens, ones = '', 10
  if parts == 0 then notice[1], parts = startOf(log, last), 1 end
  for i = 1, runs do
    local text
    if list then
      text = list[i + i + 2]
    else
      ${NEXT_TEXT}
    end
    local offsetOfId = known and known[i]
    if offsetOfId then
      replies[number + i] = log.epoch .. ' ' .. whole(offsetOfId) .. ' known'
    else
      local body = ARGV[before + 1]
      local name, mark = list and ARGV[before + 2] or '', ''
      if offset ~= following then name, mark = last .. name, text end
      call('XADD', records, text, name, body)
      if #body > INLINE_BYTES then body = shortOf(body) end
      if parts > NOTICE_PARTS then
        notify(notice)
        notice, parts = { startOf(log, last) }, 1
        log.notice = notice
      end
      notice[parts + 1], notice[parts + 2] = mark, body
      replies[number + i], last, following, parts = offset, text, offset + 1, parts + 2
    end
    offset, before = offset + 1, before + size
  end
end
`

/**
 * Appends of one log: deduplicate, number, add, notify. Checks come before the first write, the notification comes last.
 *
 * Replies: `<epoch> <offset>` of the new record, ` known` behind it where the id is in the log; only the offset, as a number, after
 * another reply of the same group. `full`: a group is too far behind. `claim`: the log must be put into the index
 * of the pattern first; nothing was done.
 */
const RUN = `
-- KEYS 1 records  2 head  3 ids
-- ARGV 1 the record: '"author":…,"self":true,"data":…'  2 id as JSON, '' or absent  3 given: the log is in the index
local log = logs[KEYS[1]] or openLog(KEYS[1], KEYS[2], KEYS[3])
if GROUPS ~= '' and refuse(log, run, KEYS, before, runs, size, number) then return end
local first, list, known = log.lastNumber < now and now or log.lastNumber + 1
if size > 1 and ARGV[before + 2] ~= '' then list, known = storeIds(log, before, runs, first) end
local isDone, thrown = pcall(addAll, log, before, runs, size, number, first, list, known)
local done, added = runs, 0
if not isDone then
  done = 0
  while replies[number + done + 1] do done = done + 1 end
end
for i = 1, known and done or 0 do
  if not known[i] then added, log.lastNumber = added + 1, first + i - 1 end
end
if not known and done > 0 then added, log.lastNumber = done, first + done - 1 end
if added > 0 then
  if log.length == 0 then log.first = first end
  log.last, log.length, log.added = whole(log.lastNumber), log.length + added, log.added + added
  if list then
    log.hasFirstId = log.hasFirstId or tonumber(log.lastId) < log.first
    log.lastId = log.last
  end
end
local reply = replies[number + 1]
if type(reply) == 'number' then replies[number + 1] = log.epoch .. ' ' .. whole(reply) end
if not isDone then
  if list then dropIds(log, before + done * size, runs - done, size, first + done) end
  error(thrown, 0)
end
`

/** Trims the logs of a command, renews their lifetimes and stores their heads. */
const FINISH = `
for _, log in ipairs(logs) do
  if log.added > 0 then trim(log, 0) end
  if log.added > 0 or log.isTrimmed then
    -- Renewed once in a while. Until then older records are left out when the log is read.
    local isDue = GROUPS == '' and log.armed < nowMs + MAX_AGE_MS
    log.armed = isDue and math.floor(nowMs + MAX_AGE_MS * 1.25) or GROUPS == '' and log.armed or 0
    saveHead(log.head, log.epoch, log.last, whole(log.first), whole(log.armed), log.lastId, log.marked)
    if isDue or (GROUPS == '' and log.hasFirstId) then expireAt(log.records, log.head, log.ids, log.armed) end
    -- Only workers that have processed all of it let it expire.
    if GROUPS ~= '' then
      for _, key in ipairs({ log.records, log.head, log.ids }) do call('PERSIST', key) end
    end
    if log.notice[2] then notify(log.notice) end
  end
end
`

/** The parts of the script. A log's name is that part of its key, from one place to the other. */
export const appendScript = (setup: string, name: { start: number; end: number }): ScriptSource => ({
  setup: `${setup}local NAME_START, NAME_END = ${name.start}, ${name.end}`,
  functions: FLOOR + REMOVE + LOGS + OFFSETS + NOTIFY + TRIM + IDS + GROUPED + ADD,
  run: RUN,
  finish: FINISH,
  isGrouped: true,
})
