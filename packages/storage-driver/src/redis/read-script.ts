import { SCRIPT_HEAD } from './script-head.ts'

/** One entry as of one moment. Reply: `{ 'ok', version, text | nil }` or `{ 'type' }`. */
export const READ_SCRIPT = `${SCRIPT_HEAD}
-- ARGV 6 '' | 'touch': a new version in any case | 'list': the index named the key
if not here and kind ~= 'none' then return { 'type' } end
if stale or ARGV[6] == 'touch' then adopt()
elseif not here and ARGV[6] == 'list' then call('ZREM', KEYS[3], ARGV[1]) end
return { 'ok', version, here and call('GET', KEYS[1]) }
`
