import type { LogSettings } from '../log-options.ts'

/** The options as locals. */
export const logConstants = ({ maxRecords, maxAgeMs, maxBacklog, groups, tombstoneMs, inlineValueMaxBytes }: LogSettings): string => `
local MAX_RECORDS, MAX_AGE_MS, MAX_BACKLOG = ${maxRecords}, ${maxAgeMs}, ${maxBacklog}
local TOMBSTONE_MS, INLINE_BYTES, GROUPS = ${tombstoneMs}, ${inlineValueMaxBytes}, '${groups.join(' ')}'
`

/** What all scripts of logs share, after the options. Lua numbers are doubles: microseconds since 1970 fit. */
export const LOG_SETUP = `
local call, try = redis.call, redis.pcall
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local nowMs, oldest = math.floor(now / 1000), now - MAX_AGE_MS * 1000
-- '%d' takes half of the time, but a Redis of 32 bits cuts off what does not fit.
local format = string.format
local WHOLE = format('%d', 1700000000000000) == '1700000000000000' and '%d' or '%.0f'
local function whole(number) return format(WHOLE, number) end
local function offsetOf(id) return tonumber(string.match(id, '^%d+')) end
-- A list of names and values as a table.
local function tableOf(list)
  local values = {}
  for i = 1, #list, 2 do values[list[i]] = list[i + 1] end
  return values
end
-- Epoch, last and first offset, expiry, the last offset of a record with an id, and groups of a log.
local function partsOf(text) return string.match(text or '', '^(%d+) (%d+) (%d+) (%d+) (%d+) ?(.*)$') end
local function headOf(head) return partsOf(call('HGET', head, '$')) end
local function saveHead(head, epoch, last, first, armed, lastId, marked)
  call('HSET', head, '$', table.concat({ epoch, last, first, armed, lastId, marked }, ' '))
end
-- Records and their ids expire together, the last offset later.
local function expireAt(records, head, ids, ms)
  call('PEXPIREAT', records, whole(ms))
  call('PEXPIREAT', ids, whole(ms))
  call('PEXPIREAT', head, whole(ms + TOMBSTONE_MS))
end
`

/** The first offset that a group has yet to process. Of all groups, so that one that was left out of the options is kept too. */
export const FLOOR = `
local function floorOf(records)
  local floor = math.huge
  for _, list in ipairs(call('XINFO', 'GROUPS', records)) do
    local group = tableOf(list)
    local first = offsetOf(group['last-delivered-id']) + 1
    if group['pending'] > 0 then first = offsetOf(call('XPENDING', records, group['name'])[2]) end
    floor = math.min(floor, first)
  end
  return floor
end
`

/** Removes the first records of a log, and the ids of removed records. */
export const REMOVE = `
-- rows: the first records; count: how many are removed; last: the offset of the last record of the log
local function removeFirst(records, rows, count, last)
  local next = rows[count + 1]
  call('XTRIM', records, 'MINID', '=', next and next[1] or whole(last + 1) .. '-0')
  return next and offsetOf(next[1]) or 0
end
-- first: that of the first record, 0 without one; before: the same before records were removed
local function removeIds(ids, first, before, lastId)
  if tonumber(lastId) < before then return end
  if first == 0 then call('UNLINK', ids) else call('ZREMRANGEBYSCORE', ids, '-inf', '(' .. whole(first)) end
end
`
