import type { LogSettings } from '../log-options.ts'

/** What all scripts of logs share. Lua numbers are doubles: microseconds since 1970 fit, but are printed by `%.0f`. */
export const LOG_SETUP = `
local call = redis.call
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local function whole(number) return string.format('%.0f', number) end
local function offsetOf(id) return tonumber(string.match(id, '^%d+')) end
-- The fields of a record, or of a group, as a table.
local function tableOf(list)
  local fields = {}
  for i = 1, #list, 2 do fields[list[i]] = list[i + 1] end
  return fields
end
local function partsOf(head) return string.match(head or '', '^(%d+) (%d+) (%d+) (%d+) ([01]) ?(.*)$') end
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

/** Removes the first records of a log. */
export const REMOVE = `
-- rows: the first records; count: how many are removed; last: the offset of the last record of the log
local function removeFirst(records, ids, rows, count, last)
  local next = rows[count + 1]
  if next then call('XTRIM', records, 'MINID', '=', next[1]) else call('XTRIM', records, 'MINID', '=', whole(last + 1) .. '-0') end
  for i = 1, count do
    local id = tableOf(rows[i][2])['i']
    -- The id may be that of a later record by now.
    if id and call('HGET', ids, id) == whole(offsetOf(rows[i][1])) then call('HDEL', ids, id) end
  end
  return next and whole(offsetOf(next[1]))
end
`

/** The options as locals. */
export const logConstants = ({ maxRecords, maxAgeMs, maxBacklog, groups, tombstoneMs, inlineValueMaxBytes }: LogSettings): string => `
local MAX_RECORDS, MAX_AGE_MS, MAX_BACKLOG = ${maxRecords}, ${maxAgeMs}, ${maxBacklog}
local TOMBSTONE_MS, INLINE_BYTES, GROUPS = ${tombstoneMs}, ${inlineValueMaxBytes}, '${groups.join(' ')}'
local oldest = now - MAX_AGE_MS * 1000
`
