/** Removes what is too much and too old. */
export const TRIM = `
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
local function trimSlowly(log, adding)
  local excess = log.length + adding - MAX_RECORDS
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

-- adding: records that will follow
local function trim(log, adding)
  if log.length + adding <= MAX_RECORDS and log.first >= oldest then return end
  local first = log.first
  if GROUPS == '' then trimPlain(log) else trimSlowly(log, adding) end
  removeIds(log.ids, log.first, first, log.lastId)
  log.isTrimmed = true
end
`
