import type { JsonValue } from '@tutti/protocol'
import type { Access } from '../authorization/authorize.ts'

/** What every write asks for. `value`: what is set, the patch, or the number to add. */
export const writesOf = (key: string, value?: JsonValue): Access[] => [
  { action: 'state:write', target: { key }, ...(value === undefined ? {} : { value }) },
]
