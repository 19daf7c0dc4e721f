import * as v from 'valibot'
import { isKey } from '../grammar.ts'
import { keyListSchema } from './key-list.ts'
import { lockBindingSchema } from './locks.ts'
import { keySchema, mutationSchema, patchSchema, prefixSchema, valueSchema, versionSchema } from './values.ts'

const mutation = v.optional(mutationSchema)
const ifVersion = v.optional(versionSchema)
const lock = v.optional(lockBindingSchema)

/** `storage:get` */
export const getSchema = v.object({ key: keySchema })

const prefixToSubscribe = v.pipe(
  v.object({ prefix: prefixSchema, versions: v.optional(v.record(v.string(), versionSchema)), after: v.optional(keySchema) }),
  // Otherwise a client could read keys outside the prefix.
  v.check(
    ({ prefix, versions = {}, after = `${prefix}a` }) =>
      [after, ...Object.keys(versions)].every((key) => key.startsWith(prefix) && isKey(key)),
    '`after` and the keys of `versions` must be below the prefix.',
  ),
)

const keysToLeave = v.object({ keys: v.array(v.object({ key: keySchema })) })
const prefixToLeave = v.object({ prefix: prefixSchema })

const namesPrefix = (message: unknown): boolean => typeof message === 'object' && message !== null && 'prefix' in message

/**
 * `storage:subscribe`: of the keys with a `version`, only entries that differ from it are returned. Or a page of the
 * entries below a prefix, with their known versions and the last key of the page before.
 */
export const subscribeSchema = v.lazy((message) => (namesPrefix(message) ? prefixToSubscribe : keyListSchema))

/** `storage:unsubscribe`: keys, or a prefix. */
export const unsubscribeSchema = v.lazy((message) => (namesPrefix(message) ? prefixToLeave : keysToLeave))

/** `storage:set` */
export const setSchema = v.object({
  key: keySchema,
  value: valueSchema,
  ifVersion,
  /** Lifetime, milliseconds; without it the entry does not expire. */
  ttlMs: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  mutation,
  lock,
})

/** `storage:remove` */
export const removeSchema = v.object({ key: keySchema, ifVersion, mutation, lock })

/** `storage:increment`: an absent key starts at `initial`, default 0. */
export const incrementSchema = v.object({
  key: keySchema,
  by: v.pipe(v.number(), v.finite()),
  initial: v.optional(v.pipe(v.number(), v.finite())),
  mutation,
  lock,
})

/** `storage:patch`: a JSON Merge Patch. */
export const patchMessageSchema = v.object({ key: keySchema, patch: patchSchema, mutation, lock })
