import * as v from 'valibot'
import { keySchema, mutationSchema, patchSchema, valueSchema, versionSchema } from './values.ts'

const mutation = v.optional(mutationSchema)
const ifVersion = v.optional(versionSchema)

/** `storage:get` */
export const getSchema = v.object({ key: keySchema })

/** `storage:subscribe`: with `version`, only an entry that differs from it comes back (C2). */
export const subscribeSchema = v.object({ keys: v.array(v.object({ key: keySchema, version: v.optional(versionSchema) })) })

/** `storage:unsubscribe` */
export const unsubscribeSchema = v.object({ keys: v.array(v.object({ key: keySchema })) })

/** `storage:set` */
export const setSchema = v.object({
  key: keySchema,
  value: valueSchema,
  ifVersion,
  /** Lifetime, milliseconds; without it the entry lasts (S18). */
  ttlMs: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  mutation,
})

/** `storage:remove` */
export const removeSchema = v.object({ key: keySchema, ifVersion, mutation })

/** `storage:increment`: an absent key starts at `initial`, default 0 (S7). */
export const incrementSchema = v.object({
  key: keySchema,
  by: v.pipe(v.number(), v.finite()),
  initial: v.optional(v.pipe(v.number(), v.finite())),
  mutation,
})

/** `storage:patch`: a JSON Merge Patch (S8). */
export const patchMessageSchema = v.object({ key: keySchema, patch: patchSchema, mutation })
