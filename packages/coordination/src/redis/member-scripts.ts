import type { CoordinationSettings } from '../coordination-options.ts'

/**
 * The members of a room are a hash: private key of the member -> `<lease> <connection> <number> <id> <l|c><sequence> <user> <info>`.
 * `l` is a listed member, `c` one that is only counted: a sorted set names these with the number that they had first. `sequence` is that
 * of the connection, or ''. `number` increases with each connection of a member. The version of the last change is stored beside it, with
 * the time of the first one (which shows that Redis has lost the room), and announced with it: `c <version> <version before> <count>` and
 * a line for each member, `+ <id> <user> <info>`, `- <id>` for one that left, `x <id>` for one that was swept. Lua never reads the info.
 */
export const MEMBER_FUNCTIONS = `
local function nextNumber(last) return whole(math.max(last + 1, now)) end
local function versionOf(key)
  local version, born = string.match(call('GET', key) or '0 ' .. whole(now), '^(%d+) ?(%d*)$')
  return version, born == '' and '0' or born
end
-- Last of all and by pcall: a refused PUBLISH must not make a change that is done look refused.
local function announce(channel, version, base, count, lines)
  redis.pcall('PUBLISH', channel, 'c ' .. version .. ' ' .. base .. ' ' .. count .. lines)
end
local function drop(keys, name)
  call('ZREM', keys[3], name)
  return call('HDEL', keys[1], name) == 1
end
-- Lists so many of the counted members, those first that were counted first.
local function promote(keys, most)
  local lines = ''
  local free = math.min(most, MAX_MEMBERS - call('HLEN', keys[1]) + call('ZCARD', keys[3]))
  if free <= 0 then return lines end
  for _, name in ipairs(call('ZRANGE', keys[3], 0, free - 1)) do
    local head, id, tail, rest = string.match(call('HGET', keys[1], name) or '', '^(%S+ %S+ %d+ (%S+) )c(%d* (.*))$')
    call('ZREM', keys[3], name)
    if id then
      call('HSET', keys[1], name, head .. 'l' .. tail)
      lines = lines .. '\\n+ ' .. id .. ' ' .. rest
    end
  end
  return lines
end
-- After members were removed. Without members, the version remains for a time, so that later ones are greater.
local function removed(keys, channel, number, lines)
  local base, born = versionOf(keys[2])
  local count = call('HLEN', keys[1])
  if number == 0 then return { 0, base, count } end
  lines = lines .. promote(keys, number)
  local version = nextNumber(base)
  if count == 0 then
    call('SET', keys[2], version .. ' ' .. born, 'PX', TOMBSTONE_MS)
  else
    call('SET', keys[2], version .. ' ' .. born, 'KEEPTTL')
  end
  announce(channel, version, base, count, lines)
  return { number, version, count }
end
`

/** The constants of the scripts. */
export const memberConstants = ({ maxMembers, overflow, tombstoneMs }: CoordinationSettings & { tombstoneMs: number }): string =>
  `\nlocal MAX_MEMBERS, COUNTS_MORE, TOMBSTONE_MS = ${maxMembers}, ${overflow === 'count'}, ${tombstoneMs}`

/**
 * Writes one member: a join (no number yet), an update, or what was lost.
 *
 * KEYS 1 members  2 version  3 counted  ARGV 1 channel  2 member's key  3 lease  4 its expiry  5 connection  6 number of this connection or ''
 *      7 id, where the member is new  8 user  9 info  10 l | c  11 sequence of the connection or ''
 * Reply: `{ 'ok', version, id, number, l | c, members before }`, `{ 'late' }`, `{ 'full' }`, or `{ 'superseded' }` by a later connection.
 */
export const WRITE_MEMBER = `
local channel, name, lease, expiry, connection, number, id, user, info, kind, sequence = unpack(ARGV)
if isLate(expiry) then return { 'late' } end
local record = call('HGET', KEYS[1], name)
local base, born = versionOf(KEYS[2])
local before = call('HLEN', KEYS[1])
local isNew = false
local oldConnection, oldNumber, oldId, oldKind, oldSequence, oldRest = string.match(record or '', '^%S+ (%S+) (%d+) (%S+) ([lc])(%d*) (.*)$')
if oldId then
  local isSame = oldConnection == connection
  -- A join of an earlier connection that was on its way, as while its instance was stopped.
  if not isSame and tonumber(oldSequence) and tonumber(sequence) and tonumber(oldSequence) > tonumber(sequence) then return { 'superseded' } end
  if number ~= '' and not isSame and tonumber(oldNumber) > tonumber(number) then return { 'superseded' } end
  kind = oldKind
  if number == '' or isSame then id = oldId end
  if isSame then
    number = oldNumber
  elseif number == '' then
    number = nextNumber(oldNumber)
  end
elseif number == '' then
  if before >= MAX_MEMBERS and not COUNTS_MORE then return { 'full' } end
  local counted = call('ZCARD', KEYS[3])
  kind = (counted > 0 or before >= MAX_MEMBERS) and 'c' or 'l'
  isNew, number = true, nextNumber(base)
end
local rest = user .. ' ' .. info
call('HSET', KEYS[1], name, table.concat({ lease, connection, number, id, kind .. sequence, rest }, ' '))
if kind == 'c' then call('ZADD', KEYS[3], 'NX', number, name) end
-- The last instance that closed has given the room a time to live.
call('PERSIST', KEYS[1])
call('PERSIST', KEYS[3])
if oldId == id and (oldRest == rest or kind == 'c') then
  call('PERSIST', KEYS[2])
  return { 'ok', base, id, number, kind, before }
end
local version = nextNumber(base)
call('SET', KEYS[2], version .. ' ' .. born)
local lines = ''
if oldId and oldId ~= id and kind == 'l' then lines = '\\n- ' .. oldId end
if kind == 'l' then lines = lines .. '\\n+ ' .. id .. ' ' .. rest end
-- Places are free while counted members wait only after a loss of data.
if isNew and kind == 'c' then lines = lines .. promote(KEYS, 1) end
announce(channel, version, base, call('HLEN', KEYS[1]), lines)
return { 'ok', version, id, number, kind, before }
`

/**
 * Removes members whose record still names the connection.
 *
 * KEYS 1 members  2 version  3 counted  ARGV 1 channel, then for each member: key, connection
 * Reply: `{ removed, version, members that remain }`.
 */
export const REMOVE_MEMBERS = `
local number, lines = 0, ''
for i = 2, #ARGV, 2 do
  local connection, id, kind = string.match(call('HGET', KEYS[1], ARGV[i]) or '', '^%S+ (%S+) %d+ (%S+) ([lc])%d* ')
  if connection == ARGV[i + 1] then
    drop(KEYS, ARGV[i])
    number = number + 1
    if kind == 'l' then lines = lines .. '\\n- ' .. id end
  end
end
return removed(KEYS, ARGV[1], number, lines)
`

/**
 * Removes members that still carry a dead lease, of one page of the hash.
 *
 * KEYS 1 members  2 version  3 counted  ARGV 1 channel  2 lease  3 place in the hash, at first 0
 * Reply: `{ removed, version, members that remain, place of the next page or 0 }`.
 */
export const SWEEP_MEMBERS = `
local prefix = ARGV[2] .. ' '
local page = call('HSCAN', KEYS[1], ARGV[3], 'COUNT', 100)
local number, lines = 0, ''
for i = 1, #page[2], 2 do
  local record = page[2][i + 1]
  -- A page may contain a member twice.
  if string.sub(record, 1, #prefix) == prefix and drop(KEYS, page[2][i]) then
    local id, kind = string.match(record, '^%S+ %S+ %d+ (%S+) ([lc])%d* ')
    number = number + 1
    if kind == 'l' then lines = lines .. '\\nx ' .. id end
  end
end
local reply = removed(KEYS, ARGV[1], number, lines)
reply[4] = page[1]
return reply
`

/**
 * Reads the listed members, and all of one instance.
 *
 * KEYS 1 members  2 version  3 counted  ARGV 1 instance
 * Reply: `{ version, count, leases of all members, [key, record, …], age of the room in Redis in ms }`.
 */
export const READ_MEMBERS = `
local all, leases, known, shown = call('HGETALL', KEYS[1]), {}, {}, {}
local prefix = ARGV[1] .. '.'
for i = 1, #all, 2 do
  local lease, kind = string.match(all[i + 1], '^(%S+) %S+ %d+ %S+ ([lc])%d* ')
  if lease then
    if not known[lease] then leases[#leases + 1] = lease end
    known[lease] = true
    if kind == 'l' or string.sub(lease, 1, #prefix) == prefix then
      shown[#shown + 1] = all[i]
      shown[#shown + 1] = all[i + 1]
    end
  end
end
local version, born = versionOf(KEYS[2])
return { version, #all / 2, leases, shown, math.floor((now - born) / 1000) }
`

/**
 * Adds a name to what a lease holds.
 *
 * KEYS 1 holds  ARGV 1 name  2 expiry of the lease
 * Reply: `ok` or `late`.
 */
export const HOLD = `
if isLate(ARGV[2]) then return { 'late' } end
call('SADD', KEYS[1], ARGV[1])
return { 'ok' }
`
