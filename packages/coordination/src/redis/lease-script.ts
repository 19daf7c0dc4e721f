/** How long a claim lasts before another instance continues the sweep, milliseconds. */
const CLAIM_MS = 250

/** How long instances wait at random before they run the heartbeat for an end that is due, so that one of them claims it. */
export const JITTER_MS = 100

/** Times of all instances of a cluster. */
export interface LeaseTimes {
  heartbeatMs: number
  leaseMs: number
  graceMs: number
}

/**
 * The heartbeat of one instance: renews or ends its lease, ends the leases that were not renewed, and claims those that are
 * due for a sweep. `now` is Redis' clock.
 *
 * KEYS 1 leases: lease id -> expiry  2 ended: lease id -> time of its sweep  3 quiet
 * ARGV 1 lease id  2 register | renew | close  3 where it registers after a loss, the former id, else ''
 * Reply: `{ lost, now, live, ended, claimed, next, last, settlingMs }`. `lost` is 1 if the lease to renew does not exist; `next` is the time at
 * which leases may end or be due, or ''; `last` is 1 where `close` left no living instance; for `settlingMs` members may be missing.
 */
export const leaseScript = ({ heartbeatMs, leaseMs, graceMs }: LeaseTimes): string => `
local LEASE_MS, SILENCE_MS, GRACE_MS, SWEEP_MS = ${leaseMs}, ${leaseMs - heartbeatMs}, ${graceMs}, ${Math.max(leaseMs, graceMs)}
local LEASES, ENDED, QUIET = KEYS[1], KEYS[2], KEYS[3]
local id, mode, former = ARGV[1], ARGV[2], ARGV[3]
local call = redis.call
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format('%.0f', number) end

-- Where no instance has renewed for long, Redis was away or has lost its data: no lease ends until they had time to renew, and
-- the members of an instance that ends in that time have their grace after it.
local newest = call('ZREVRANGE', LEASES, 0, 0, 'WITHSCORES')[2]
local isSilent = newest and now - (newest - LEASE_MS) > SILENCE_MS
if isSilent or (not newest and mode == 'renew') then call('SET', QUIET, '1', 'PX', LEASE_MS + GRACE_MS) end

-- The clock was set back: times that are too far ahead.
local function limit(key, most)
  for _, lease in ipairs(call('ZRANGEBYSCORE', key, '(' .. whole(most), '+inf')) do call('ZADD', key, whole(most), lease) end
end
limit(LEASES, now + LEASE_MS)
limit(ENDED, now + SWEEP_MS)

local lost = 0
if mode == 'close' then
  if call('ZREM', LEASES, id) == 1 then call('ZADD', ENDED, whole(now + GRACE_MS), id) end
elseif mode == 'register' or call('ZSCORE', LEASES, id) then
  call('ZADD', LEASES, whole(now + LEASE_MS), id)
else
  lost = 1
end
-- What the former lease holds is swept also where its end was lost.
if former ~= '' and not call('ZSCORE', ENDED, former) then call('ZADD', ENDED, whole(now + SWEEP_MS), former) end
if mode == 'register' then call('PERSIST', ENDED) end

local settlingMs, claimed = call('PTTL', QUIET), {}
local quietMs = settlingMs - GRACE_MS
if quietMs <= 0 then
  local expired = call('ZRANGEBYSCORE', LEASES, '-inf', '(' .. whole(now), 'WITHSCORES')
  for i = 1, #expired, 2 do
    call('ZREM', LEASES, expired[i])
    call('ZADD', ENDED, whole(expired[i + 1] - LEASE_MS + SWEEP_MS), expired[i])
  end
  if mode ~= 'close' then
    claimed = call('ZRANGEBYSCORE', ENDED, '-inf', whole(now))
    for _, lease in ipairs(claimed) do call('ZADD', ENDED, whole(now + ${CLAIM_MS}), lease) end
  end
end

local last = 0
if mode == 'close' and call('ZCOUNT', LEASES, whole(now), '+inf') == 0 then
  last = 1
  call('PEXPIRE', ENDED, GRACE_MS + LEASE_MS)
end

local next = ''
local function consider(at) if at and (next == '' or at < next) then next = at end end
local firstExpiry = call('ZRANGE', LEASES, 0, 0, 'WITHSCORES')[2]
consider(firstExpiry and firstExpiry + 1)
consider(tonumber(call('ZRANGE', ENDED, 0, 0, 'WITHSCORES')[2]))
if next ~= '' then next = whole(math.max(next, quietMs > 0 and now + quietMs or 0)) end
return { lost, whole(now), call('ZRANGE', LEASES, 0, -1), call('ZRANGE', ENDED, 0, -1), claimed, next, last, math.max(settlingMs, 0) }
`
