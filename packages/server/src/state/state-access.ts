import type { JsonValue, Requests } from '@tutti/protocol'
import type { Access } from '../authorization/authorize.ts'
import type { Connection } from '../connection/connection.ts'
import { prefixOfRoom, subscribedKey } from '../connection/subscription-names.ts'

/** To read a key. */
export const readAccess = (key: string): Access => ({ action: 'state:read', target: { key } })

/** To read what a message names: keys, or a prefix. */
export const readAccesses = (message: Requests['storage:subscribe']['payload']): Access[] =>
  'prefix' in message ? [{ action: 'state:read', target: { prefix: message.prefix } }] : message.keys.map(({ key }) => readAccess(key))

/** To write a key. `value`: the value, the patch, or the number to add. */
export const writeAccess = (key: string, value?: JsonValue): Access => ({
  action: 'state:write',
  target: { key },
  ...(value === undefined ? {} : { value }),
})

/** What the subscriptions of a connection read. */
export const subscribedAccesses = ({ subscriptions }: Connection): Access[] =>
  [...subscriptions.all].flatMap((name): Access[] => {
    const [key, prefix] = [subscribedKey(name), prefixOfRoom(name)]
    if (key !== undefined) return [readAccess(key)]
    return prefix === undefined ? [] : [{ action: 'state:read', target: { prefix } }]
  })
