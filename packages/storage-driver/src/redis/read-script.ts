import { SCRIPT_HEAD } from './script-head.ts'

/**
 * One entry as of one moment. Reply: `{ 'ok', version, text | nil, expiry | '', time in ms }`, `{ 'same' }` where it has the
 * version that is known, `{ 'claim' }` where it must be named first, or `{ 'type' }`.
 */
export const READ_SCRIPT = `${SCRIPT_HEAD}
-- ARGV 6 '' | 'touch': a new version in any case | 'list': the index named the key  7 the version that is known, or ''
if not here and kind ~= 'none' then return { 'type' } end
if here and stale and unnamed then return { 'claim' } end
local expiry = mark
if stale or ARGV[6] == 'touch' then expiry = adopt()
elseif not here and indexed and ARGV[6] == 'list' then call('ZREM', KEYS[3], ARGV[1]) end
if version == ARGV[7] then return { 'same' } end
return { 'ok', version, here and call('GET', KEYS[1]), here and expiry or '', whole(now / 1000) }
`
