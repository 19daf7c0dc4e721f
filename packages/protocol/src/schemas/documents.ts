import * as v from 'valibot'
import { offsetSchema } from './events.ts'
import { bytesSchema, documentSchema, valueSchema } from './values.ts'

/** The id of a transfer in parts. */
const transferSchema = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'A transfer id has 1 to 64 letters, digits, _ or -.'))

/** `document:open`: `offset` and `stateVector` of what the client has already. */
export const documentOpenSchema = v.object({
  document: documentSchema,
  offset: v.optional(offsetSchema),
  stateVector: v.optional(bytesSchema),
})

/** `document:close` */
export const documentCloseSchema = v.object({ document: documentSchema })

/** `document:update`: a Yjs update, or the transfer whose parts are its bytes. */
export const documentUpdateSchema = v.object({
  document: documentSchema,
  update: v.optional(bytesSchema),
  transfer: v.optional(transferSchema),
})

/**
 * `document:awareness`: what others see of this client in the document, its cursor for example; null shows nothing. `client` is the id
 * of its Yjs document. From then on the connection receives what others show.
 */
export const documentAwarenessSchema = v.object({
  document: documentSchema,
  client: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  state: valueSchema,
})

/** `document:part`: sends a part of a transfer with `bytes`, fetches one without. Parts have 65,536 bytes, except the last. */
export const documentPartSchema = v.object({
  document: documentSchema,
  transfer: transferSchema,
  index: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  bytes: v.optional(bytesSchema),
})

/** The id of a version, and the place in a list before which a page begins. */
const placeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** `document:versions` and `document:history`: a page, newest first. `before`: of what comes before this version or offset. */
export const documentPageSchema = v.object({ document: documentSchema, before: v.optional(placeSchema) })

/** `document:version`, `document:restore` and `document:remove` */
export const documentVersionSchema = v.object({ document: documentSchema, version: placeSchema })

/** `document:save` */
export const documentSaveVersionSchema = v.object({
  document: documentSchema,
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
})
