import { DEATH_ERROR, DEATHS_PER_FAILURE, MAX_FAILURES } from '../group-contract.ts'
import { FLOOR } from './script-head.ts'

/**
 * What the scripts of a group share. A Redis consumer group keeps which records were taken and not processed, so that none of them
 * is trimmed. Claims are beside it: each has an owner and a time at which it ends, and a record that failed has no owner until it is
 * due again.
 */
export const GROUP_FUNCTIONS = `
-- KEYS 1 records  2 due  3 claims  4 errors  5 again  6 dead  ARGV 1 group
local MAX_FAILURES, DEATHS_PER_FAILURE = ${MAX_FAILURES}, ${DEATHS_PER_FAILURE}
local function contentOf(KEYS, offset)
  local again = call('HGET', KEYS[5], offset)
  if again then return again end
  local row = call('XRANGE', KEYS[1], offset, offset)[1]
  return row and row[2][2]
end
local function claimOf(KEYS, offset)
  return string.match(call('HGET', KEYS[3], offset) or '', '^(%S+) (%d+) (%d+)$')
end
local function forget(KEYS, group, offset)
  if call('ZREM', KEYS[2], offset) == 0 then return end
  -- Where the group was removed, there is nothing to acknowledge.
  redis.pcall('XACK', KEYS[1], group, offset .. '-0')
  call('HDEL', KEYS[3], offset)
  call('HDEL', KEYS[4], offset)
  call('HDEL', KEYS[5], offset)
end
-- Adds an error. Returns the number of failures, 0 where the record is a dead letter now.
local function countFailure(KEYS, group, offset, failures, error)
  local errors = call('HGET', KEYS[4], offset)
  errors = (errors and errors .. ',' or '') .. error
  if failures + 1 < MAX_FAILURES then
    call('HSET', KEYS[4], offset, errors)
    return failures + 1
  end
  local record = contentOf(KEYS, offset)
  if record then call('XADD', KEYS[6], '*', 'o', offset, 'd', record, 'e', '[' .. errors .. ']') end
  forget(KEYS, group, offset)
  return 0
end
`

/** Reply: `{ { { offset, record, attempt }, … }, ms until the next is due or -1 }`. */
export const TAKE_SCRIPT = `
-- KEYS 7 head  8 ids  ARGV 2 token  3 count  4 visibility ms
local group, token, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local claimEnd, found = whole(nowMs + ARGV[4]), {}
local function deliver(offset, record, failures, deaths)
  call('HSET', KEYS[3], offset, token .. ' ' .. whole(failures) .. ' ' .. whole(deaths))
  call('ZADD', KEYS[2], claimEnd, offset)
  found[#found + 1] = { offset, record, whole(failures + deaths + 1) }
end

for _, offset in ipairs(call('ZRANGEBYSCORE', KEYS[2], '-inf', whole(nowMs), 'LIMIT', 0, count)) do
  local owner, failures, deaths = claimOf(KEYS, offset)
  failures, deaths = tonumber(failures or 0), tonumber(deaths or 0)
  local isDead = false
  if owner and owner ~= '-' then
    deaths = deaths + 1
    if deaths >= DEATHS_PER_FAILURE then
      deaths = 0
      failures = countFailure(KEYS, group, offset, failures, '${JSON.stringify(DEATH_ERROR)}')
      isDead = failures == 0
    end
  end
  if not isDead then
    local record = contentOf(KEYS, offset)
    if record then deliver(offset, record, failures, deaths) else forget(KEYS, group, offset) end
  end
end

local exists = call('EXISTS', KEYS[1]) == 1
if exists and #found < count then
  local function read() return redis.pcall('XREADGROUP', 'GROUP', group, 'workers', 'COUNT', count - #found, 'STREAMS', KEYS[1], '>') end
  local reply = read()
  if reply and reply.err then
    call('XGROUP', 'CREATE', KEYS[1], group, '0')
    reply = read()
  end
  for _, row in ipairs(reply and reply[1] and reply[1][2] or {}) do
    deliver(whole(offsetOf(row[1])), row[2][2], 0, 0)
  end
end

local next = call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
-- Nothing is left to process: the log expires, until the next append.
if exists and #found == 0 and not next[1] then
  local epoch, last, first, armed, lastId, marked = headOf(KEYS[7])
  if epoch and armed == '0' and floorOf(KEYS[1]) > tonumber(last) then
    saveHead(KEYS[7], epoch, last, first, whole(nowMs + MAX_AGE_MS), lastId, marked)
    expireAt(KEYS[1], KEYS[7], KEYS[8], nowMs + MAX_AGE_MS)
  end
end
return { found, next[2] and whole(math.max(0, tonumber(next[2]) - nowMs)) or '-1' }
`

/** What `TAKE_SCRIPT` needs beside `GROUP_FUNCTIONS`. */
export const TAKE_FUNCTIONS = FLOOR

/** Reply: the offsets whose claim has another owner. */
export const RENEW_SCRIPT = `
-- ARGV 2 token  3 visibility ms  4.. offsets
local lost = {}
for i = 4, #ARGV do
  if claimOf(KEYS, ARGV[i]) == ARGV[2] then call('ZADD', KEYS[2], whole(nowMs + ARGV[3]), ARGV[i])
  else lost[#lost + 1] = ARGV[i] end
end
return lost
`

/** The record is processed, also where its claim has ended. */
export const ACKNOWLEDGE_SCRIPT = `
-- ARGV 2 offset
forget(KEYS, ARGV[1], ARGV[2])
`

/** Reply: `retry`, `dead` or `lost`. */
export const FAIL_SCRIPT = `
-- ARGV 2 token  3 offset  4 error as JSON  5 ms until it is due again
local owner, failures, deaths = claimOf(KEYS, ARGV[3])
if owner ~= ARGV[2] then return 'lost' end
failures = countFailure(KEYS, ARGV[1], ARGV[3], tonumber(failures), ARGV[4])
if failures == 0 then return 'dead' end
call('HSET', KEYS[3], ARGV[3], '- ' .. whole(failures) .. ' ' .. deaths)
call('ZADD', KEYS[2], whole(nowMs + ARGV[5]), ARGV[3])
return 'retry'
`

/** Reply: `{ records that no worker took, records that were taken }`. */
export const BACKLOG_SCRIPT = `
local waiting = 0
if call('EXISTS', KEYS[1]) == 1 then
  waiting = call('XLEN', KEYS[1])
  for _, list in ipairs(call('XINFO', 'GROUPS', KEYS[1])) do
    local group = tableOf(list)
    if group['name'] == ARGV[1] then
      -- Redis before 7.0 does not count them.
      waiting = group['lag'] or #call('XRANGE', KEYS[1], '(' .. group['last-delivered-id'], '+', 'COUNT', 1000)
    end
  end
end
return { waiting, call('ZCARD', KEYS[2]) }
`

/** Reply: 1 where the dead letter is processed again. */
export const REPLAY_SCRIPT = `
-- ARGV 2 id of the dead letter  3 message
local row = call('XRANGE', KEYS[6], ARGV[2], ARGV[2])[1]
if not row then return 0 end
local fields = tableOf(row[2])
call('HSET', KEYS[5], fields['o'], fields['d'])
call('HSET', KEYS[3], fields['o'], '- 0 0')
call('ZADD', KEYS[2], 0, fields['o'])
call('XDEL', KEYS[6], ARGV[2])
redis.pcall('PUBLISH', CHANNEL, ARGV[3])
return 1
`

/** Ends the group; its dead letters stay. */
export const REMOVE_GROUP_SCRIPT = `
redis.pcall('XGROUP', 'DESTROY', KEYS[1], ARGV[1])
call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
`
