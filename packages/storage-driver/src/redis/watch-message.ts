import { MAX_VALUE_DEPTH, RealtimeError, isJsonObject, isJsonValue, isKey, type JsonObject } from '@tutti/protocol'
import type { StateChange } from '../contract.ts'
import { parseJson } from '../stored-text.ts'

// A change as it travels on the Redis channel `<prefix>:watch` (N8), written by the scripts, with its fields in this order:
// {"origin","event":"update"|"remove","key","writer"?,"version","expiresAt"?, and "value", or "base" and "patch", or neither}.

/** The middle of the message, which the instance knows before the script runs. */
export const messageHead = (key: string, writer: string | undefined): string =>
  `"key":${JSON.stringify(key)},${writer === undefined ? '' : `"writer":${JSON.stringify(writer)},`}"version":`

/** The end of a message that carries a value, given as JSON. */
export const valueTail = (json: string): string => `,"value":${json}`

/** The end of a message that carries a patch of the version `base`. */
export const patchTail = (base: number, json: string): string => `,"base":${base},"patch":${json}`

/** The beginning of a message as the scripts write it, with a key that JSON does not escape. */
const BEGINNING = /^\{"origin":"[^"\\]*","event":"(?:update|remove)","key":"([^"\\]+)",/

/** The key of a change, read without parsing the rest; `undefined` where the message must be parsed to know it. */
export function keyOfMessage(text: string): string | undefined {
  const key = BEGINNING.exec(text)?.[1]
  return isKey(key) && text.endsWith('}') ? key : undefined
}

/**
 * The change that a message tells; throws `INVALID_MESSAGE` for anything else. A value or patch that no client could have
 * written (nested too deeply, or a number like 1e999) is left out: whoever needs it reads the entry.
 */
export function parseWatchMessage(text: string): StateChange {
  const { event, key, writer, version, expiresAt, value, base, patch } = fieldsOf(text)
  if ((event !== 'update' && event !== 'remove') || !isKey(key) || !isVersion(version)) throw invalid()
  const change: StateChange = { key, version }
  if (typeof writer === 'string') change.writer = writer
  if (event === 'remove') return { ...change, removed: true }
  if (isVersion(expiresAt)) change.expiresAt = expiresAt
  if (!isJsonValue(value ?? patch ?? null, MAX_VALUE_DEPTH)) return change
  if (value !== undefined) return { ...change, value }
  if (patch === undefined) return change
  if (!isJsonObject(patch) || !isVersion(base)) throw invalid()
  return { ...change, base, patch }
}

function fieldsOf(text: string): Partial<JsonObject> {
  try {
    const message = parseJson(text)
    if (isJsonObject(message)) return message
  } catch {
    // Said below, as for everything that is no object.
  }
  throw invalid()
}

const isVersion = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const invalid = (): RealtimeError => new RealtimeError('INVALID_MESSAGE', { message: 'A message on the watch channel is not a change.' })
