/**
 * One lock is a record (see `lock-record.ts`) and a list of waiting requests, each the part of a record after `<token> o`: all
 * that a grant writes. Every transition is announced as the key, a line feed, and the record. Lua never reads the info.
 *
 * `at` is the lock: its keys, its channel, and the key that it belongs to. INDEX: the names of all locks, where it is on this node.
 */
export const LOCK_FUNCTIONS = `
local function parse(record)
  return string.match(record or '', '^(%d+) (%a) ?(%S*) ?(%d*) ?(%S*) ?(%S*) ?(%S*)')
end
-- Last of all and by pcall: a refused PUBLISH must not make a change that is done look refused.
local function tell(at, record) redis.pcall('PUBLISH', at.channel, at.key .. '\\n' .. record) end
-- An open lock ends with its connection or its instance, and has no end of its own.
local function hold(at, record)
  call('SET', at.lock, record)
  if INDEX then call('ZADD', INDEX, 0, at.key) end
  tell(at, record)
end
-- Ends the lock. The next request is granted.
local function finish(at, token)
  local entry = call('LPOP', at.waiting)
  if entry then return hold(at, whole(math.max(token + 1, now)) .. ' o ' .. entry) end
  local record = token .. ' d'
  call('SET', at.lock, record, 'PX', TOMBSTONE_MS)
  if INDEX then call('ZREM', INDEX, at.key) end
  tell(at, record)
end
-- The record, after its end if its time has passed.
local function current(at)
  local record = call('GET', at.lock)
  local token, kind, _, till = parse(record)
  if kind == 'u' and ms >= tonumber(till) then
    finish(at, token)
    record = call('GET', at.lock)
  end
  return record, parse(record)
end
-- Requests of a lease, or of a connection, or one request.
local function dropWaiting(at, lease, connection, request)
  for _, entry in ipairs(call('LRANGE', at.waiting, 0, -1)) do
    local l, c, r = string.match(entry, '^%S+ %d+ (%S+) (%S+) (%S+)')
    local isMeant = lease == l
    if lease == '' then isMeant = connection == c and (request == '' or request == r) end
    if isMeant then call('LREM', at.waiting, 1, entry) end
  end
end
`

/**
 * Grants or queues a request. A client keeps its lock, or its place in the queue, with the same request or on the same connection.
 *
 * KEYS 1 lock  2 waiting  ARGV 1 channel  2 key  3 lease  4 its expiry  5 owner  6 connection  7 request  8 user and info
 *      9 'wait' or ''
 * Reply: `{ 'late' }`, `{ 'granted', token }`, `{ 'waiting' | 'held', record of the holder }`.
 */
export const ACQUIRE_LOCK = `
local at = { lock = KEYS[1], waiting = KEYS[2], channel = ARGV[1], key = ARGV[2] }
local lease, expiry, owner, connection, request, rest, waits = unpack(ARGV, 3, 9)
if isLate(expiry) then return { 'late' } end
local record, token, kind, holder, _, _, c, r = current(at)
-- Its client has ended that request, and the end has not arrived.
while holder == owner and c ~= connection and r ~= request do
  finish(at, token)
  record, token, kind, holder, _, _, c, r = current(at)
end
local entry = table.concat({ owner, '0', lease, connection, request, rest }, ' ')
local isFree = not token or kind == 'd'
if isFree or holder == owner then
  if isFree then token = whole(math.max((token or 0) + 1, now)) end
  hold(at, token .. ' o ' .. entry)
  return { 'granted', token }
end
if waits == '' then return { 'held', record } end
for place, waiting in ipairs(call('LRANGE', at.waiting, 0, -1)) do
  local o, c, r = string.match(waiting, '^(%S+) %d+ %S+ (%S+) (%S+)')
  if o == owner and (c == connection or r == request) then
    call('LSET', at.waiting, place - 1, entry)
    return { 'waiting', record }
  end
  if o == owner then call('LREM', at.waiting, 1, waiting) end
end
call('RPUSH', at.waiting, entry)
return { 'waiting', record }
`

/**
 * Ends a lock or requests.
 *
 * KEYS 1 lock  2 waiting  ARGV 1 channel  2 key  3 mode, and:
 * - `release` connection token: the grant
 * - `cancel` connection request: the request, or the grant of it
 * - `leave` connection ttlMs: the connection is closed: its requests; its grant ends after the time
 * - `sweep` lease: all that carries a dead lease
 * - `end`: any grant  - `expire`: a grant whose time has passed
 * Reply: milliseconds until the lock of a holder without a connection ends, or 0.
 */
export const END_LOCK = `
local at = { lock = KEYS[1], waiting = KEYS[2], channel = ARGV[1], key = ARGV[2] }
local mode, first, second = ARGV[3], ARGV[4], ARGV[5]
if mode == 'sweep' then
  dropWaiting(at, first, '', '')
elseif mode == 'cancel' or mode == 'leave' then
  dropWaiting(at, '', first, mode == 'cancel' and second or '')
end
local record, token, kind, owner, till, lease, connection, request = current(at)
local isOwn = kind == 'o' and connection == first
if mode == 'leave' and isOwn and string.find(owner, ':', 1, true) then
  till = whole(ms + second)
  record = token .. ' u ' .. owner .. ' ' .. till .. ' - - ' .. request .. ' ' .. string.match(record, '^%S+ %S+ %S+ %S+ %S+ %S+ %S+ (.*)$')
  call('SET', at.lock, record, 'PX', whole(second + TOMBSTONE_MS))
  tell(at, record)
  return tonumber(second)
end
local isOver = mode == 'leave' and isOwn
if mode == 'release' then isOver = isOwn and token == second end
if mode == 'cancel' then isOver = isOwn and request == second end
if mode == 'sweep' then isOver = kind == 'o' and lease == first end
if mode == 'end' then isOver = kind == 'o' or kind == 'u' end
if isOver then finish(at, token) end
return kind == 'u' and not isOver and till - ms or 0
`

/**
 * Writes a grant of this instance again under its current lease, after Redis was away or has lost data.
 *
 * KEYS 1 lock  2 waiting  ARGV 1 channel  2 key  3 lease  4 its expiry  5 owner  6 connection  7 request  8 user and info  9 token
 * Reply: `{ 'late' }`, `{ 'kept' }`, or `{ 'lost', record }`.
 */
export const KEEP_LOCK = `
local at = { lock = KEYS[1], waiting = KEYS[2], channel = ARGV[1], key = ARGV[2] }
local lease, expiry, owner, connection, request, rest, ours = unpack(ARGV, 3, 9)
if isLate(expiry) then return { 'late' } end
local record, token, kind, _, _, oldLease, oldConnection = current(at)
local entry = ours .. ' o ' .. table.concat({ owner, '0', lease, connection, request, rest }, ' ')
-- No later grant: the data was lost, and no other instance can have had the lock since.
if not token or (kind == 'd' and tonumber(token) < tonumber(ours)) then
  hold(at, entry)
  return { 'kept' }
end
if kind ~= 'o' or token ~= ours or oldConnection ~= connection then return { 'lost', record } end
if oldLease ~= lease then call('SET', at.lock, entry) end
return { 'kept' }
`
