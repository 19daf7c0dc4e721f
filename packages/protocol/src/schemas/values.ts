import * as v from 'valibot'
import { isJsonObject, type JsonObject } from '../json.ts'
import { parseChannel, parseDocument, parseKey, parsePattern, parsePrefix, parseRoom } from '../names.ts'
import { parseValue } from '../parse-value.ts'

// The parts of messages. An invalid name throws its own code (INVALID_KEY, …), which is more precise than a position in the
// message.

const byGrammar = (parse: (name: unknown) => string) => v.pipe(v.unknown(), v.transform(parse))

export const keySchema = byGrammar(parseKey)
export const prefixSchema = byGrammar(parsePrefix)
export const channelSchema = byGrammar(parseChannel)
export const patternSchema = byGrammar(parsePattern)
export const roomSchema = byGrammar(parseRoom)
export const documentSchema = byGrammar(parseDocument)

const isBase64 = (text: string): boolean => !/[^A-Za-z0-9+/=]/.test(text)

/** Bytes: base64, or binary where that is smaller on the wire. */
export const bytesSchema = v.union([v.pipe(v.string(), v.check(isBase64, 'Bytes must be base64 text or binary.')), v.instance(Uint8Array)])

/** Any JSON value; throws `INVALID_VALUE` for anything else. */
export const valueSchema = v.pipe(v.unknown(), v.transform(parseValue))

/** A JSON object, as a merge patch (RFC 7396). */
export const patchSchema = v.pipe(valueSchema, v.custom<JsonObject>(isJsonObject, 'The patch must be an object.'))

/** A version in a client message: 0 means an absent key (S6). */
export const versionSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** A client's own id: letters, digits, `_` and `-`, so that it can be part of a Redis key (S12). */
export const clientIdSchema = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'The clientId must be 1 to 64 letters, digits, _ or -.'))

/** The number of one mutation; `clientId` defaults to the handshake's. */
export const mutationSchema = v.object({ number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)), clientId: v.optional(clientIdSchema) })
