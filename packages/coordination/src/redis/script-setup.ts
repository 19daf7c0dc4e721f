/**
 * What the scripts share. Lua numbers are doubles: microseconds since 1970 fit, but must be printed by `%.0f`. LEASE_MS and
 * SLACK_MS are in the source, as they are the same for all instances.
 */
const SCRIPT_SETUP = `
local call = redis.call
-- All runs of one command happen at once, so they have one time.
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local ms = math.floor(now / 1000)
local function whole(number) return string.format('%.0f', number) end
-- Nothing may be written under a lease that has ended. One that ends too far ahead was granted before the clock was set back.
local function isLate(expiry)
  expiry = tonumber(expiry)
  return ms > expiry or expiry > ms + LEASE_MS + SLACK_MS
end
`

/** Their constants. On a Cluster, the nodes' clocks differ. */
export const scriptSetup = (leaseMs: number, slackMs: number): string =>
  `\nlocal LEASE_MS, SLACK_MS = ${leaseMs}, ${slackMs}${SCRIPT_SETUP}`
