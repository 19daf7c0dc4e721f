import { NEXT_TEXT } from './offsets-script.ts'

/**
 * Stores the ids of a group, with the offsets that its records will have: one command finds out whether all are new. Only where
 * one is not, offsets are read. Returns the command, and the offsets of the records that are in the log, by their place.
 */
export const IDS = `
local function storeIds(log, before, runs, offset)
  -- The arguments are records and ids by turns. Offsets take the places of the records.
  local list, first = { 'ZADD', log.ids, 'NX', unpack(ARGV, before + 1, before + 2 * runs) }, offset
  local tensOf, DIGITS, tens, ones = tensOf, DIGITS, '', 10
  for place = 4, 2 * runs + 2, 2 do
    local text
    ${NEXT_TEXT}
    list[place], offset = text, offset + 1
  end
  if call(unpack(list)) == runs then return list end
  local names = {}
  for i = 1, runs do names[i] = list[2 * i + 3] end
  local known, moved, floor = {}, {}, GROUPS == '' and math.max(log.first, oldest) or log.first
  local offsets = call('ZMSCORE', log.ids, unpack(names))
  for i = 1, runs do
    local id, own = names[i], first + i - 1
    local offset = moved[id] or tonumber(offsets[i])
    if offset ~= own then
      if offset >= floor then
        known[i] = offset
      else
        -- Its record is no longer in the log.
        call('ZADD', log.ids, list[2 * i + 2], id)
        moved[id] = own
      end
    end
  end
  return list, known
end

-- From a place on, whose records were not added.
local function dropIds(log, before, runs, size, first)
  for i = 1, runs do
    local id = ARGV[before + (i - 1) * size + 2]
    if tonumber(call('ZSCORE', log.ids, id) or 0) == first + i - 1 then call('ZREM', log.ids, id) end
  end
end
`
