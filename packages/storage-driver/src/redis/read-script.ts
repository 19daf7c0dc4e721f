import { SCRIPT_HEAD } from './script-head.ts'

/**
 * One entry at one moment. Reply: `{ 'ok', version, text | nil, expiry | '', time in ms }`, `{ 'same' }` if it has the known
 * version, `{ 'claim' }` if it must be added to the index first, or `{ 'type' }`.
 */
export const READ_SCRIPT = `${SCRIPT_HEAD}
-- ARGV 2 '' | 'touch': a new version in any case | 'list': the index named the key  3 the version that is known, or ''
if not here and kind ~= 'none' then return { 'type' } end
if here and stale and unnamed then return { 'claim' } end
local expiry = mark
if stale or ARGV[2] == 'touch' then expiry = adopt()
elseif not here and INDEX and ARGV[2] == 'list' then call('ZREM', INDEX, nameOfKey()) end
if version == ARGV[3] then return { 'same' } end
return { 'ok', version, here and call('GET', KEYS[1]), here and expiry or '', whole(now / 1000) }
`
