import type { Requests } from '@tutti/protocol'
import type { Access } from '../authorization/authorize.ts'

/** What it is to read a key. */
export const readingOf = (key: string): Access => ({ action: 'state:read', target: { key } })

/** What a message asks to read: keys, or a prefix. */
export const readsOf = (message: Requests['storage:subscribe']['payload']): Access[] =>
  'prefix' in message ? [{ action: 'state:read', target: { prefix: message.prefix } }] : message.keys.map(({ key }) => readingOf(key))
