import * as v from 'valibot'
import { isKey } from '../grammar.ts'
import { keySchema, versionSchema } from './values.ts'

/** Any list of keys with the versions that the client has: unknown fields are dropped, and what is wrong is named by its path. */
export const anyKeyListSchema = v.object({ keys: v.array(v.object({ key: keySchema, version: v.optional(versionSchema) })) })

type KeyList = v.InferOutput<typeof anyKeyListSchema>

/** For lists that were checked by `isPlainKeyList`. */
const plainKeyListSchema = v.custom<KeyList>(() => true)

/**
 * Keys to subscribe to, with the versions that the client has. A client that reconnects sends all of its keys at once, and a
 * schema takes several times as long for each of them, so a list without unknown fields is checked by hand.
 */
export const keyListSchema = v.lazy((message) => (isPlainKeyList(message) ? plainKeyListSchema : anyKeyListSchema))

/** The last message that was found plain: a server passes one object for all clients that request the same. */
let lastPlain: object | undefined

/** Whether the schema would return the message as it is. */
function isPlainKeyList(message: unknown): boolean {
  if (!isObject(message) || !Array.isArray(message['keys'])) return false
  if (message === lastPlain) return true
  for (const name in message) if (name !== 'keys') return false
  if (!message['keys'].every(isPlainItem)) return false
  lastPlain = message
  return true
}

/** A key and perhaps a version, and nothing more. */
function isPlainItem(item: unknown): boolean {
  if (!isObject(item) || !isKey(item['key']) || !isVersion(item['version'])) return false
  for (const name in item) if (name !== 'key' && name !== 'version') return false
  return true
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

const isVersion = (value: unknown): boolean => value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0)
