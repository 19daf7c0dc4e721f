import { MAX_VALUE_DEPTH, RealtimeError, isJsonValue, isKey, type JsonObject, type JsonValue } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'
import type { StateChange } from '../contract.ts'
import { parseJson } from '../stored-text.ts'

// A change as sent on the Redis channel `<prefix>:watch` (N8), written by the scripts, with its fields in this order:
// {"origin","event":"update"|"remove","key","writer"?,"version","expiresAt"?, and "value", or "base" and "patch", or neither}.

/** The middle of the message, known before the script runs. */
export const messageHead = (key: string, writer: string | undefined): string =>
  `"key":${JSON.stringify(key)},${writer === undefined ? '' : `"writer":${JSON.stringify(writer)},`}"version":`

/** The end of a message that carries a value, given as JSON. */
export const valueTail = (json: string): string => `,"value":${json}`

/** The end of a message that carries a patch of the version `base`. */
export const patchTail = (base: number, json: string): string => `,"base":${base},"patch":${json}`

/** The beginning of a message as the scripts write it, with a key that JSON does not escape. */
const BEGINNING = /^\{"origin":"[^"\\]*","event":"(?:update|remove)","key":"([^"\\]+)",/

/** All of it before its value or patch, or before its end, with a writer that JSON does not escape. */
const HEAD = new RegExp(
  [
    /^\{"origin":"[^"\\]*","event":"(update|remove)","key":"([^"\\]+)",(?:"writer":"([^"\\]*)",)?/,
    /"version":(0|[1-9]\d{0,15})(?:,"expiresAt":(0|[1-9]\d{0,15}))?(,"value":|,"base":(0|[1-9]\d{0,15}),"patch":|\}$)/,
  ]
    .map(({ source }) => source)
    .join(''),
)

/** The key of a change, read without parsing the rest; `undefined` where the message must be parsed to know it. */
export function keyOfMessage(text: string): string | undefined {
  const key = BEGINNING.exec(text)?.[1]
  return isKey(key) && text.endsWith('}') ? key : undefined
}

/**
 * The change in a message; throws `INVALID_MESSAGE` for anything else. A value or patch that no client could have written
 * (nested too deeply, or a number like 1e999) is omitted: a subscriber that needs it reads the entry.
 *
 * In the layout of the scripts only the value or patch is parsed as JSON. Every other message is parsed and validated as a
 * whole, with the same result. `checkedKey`: what `keyOfMessage` returned.
 */
export const parseWatchMessage = (text: string, checkedKey?: string): StateChange =>
  parseFixedLayout(text, checkedKey) ?? parseAnyLayout(text)

function parseFixedLayout(text: string, checkedKey: string | undefined): StateChange | undefined {
  const head = HEAD.exec(text)
  if (head === null || !text.endsWith('}')) return undefined
  const [whole, event, key, writer, versionText, expiresAtText, body = '', baseText] = head
  const [version, expiresAt, base] = [Number(versionText), Number(expiresAtText ?? 0), Number(baseText ?? 0)]
  if (key === undefined || !(key === checkedKey || isKey(key))) return undefined
  if (!isVersion(version) || !isVersion(expiresAt) || !isVersion(base)) return undefined
  const change: StateChange = { key, version }
  if (writer !== undefined) change.writer = writer
  if (event === 'remove') return body === '}' ? { ...change, removed: true } : undefined
  if (expiresAtText !== undefined) change.expiresAt = expiresAt
  if (body === '}') return change
  const json = text.slice(whole.length, -1)
  const content = contentOf(json)
  if (content === undefined || (baseText !== undefined && !isJsonObject(content))) return undefined
  if (baseText === undefined) {
    change.value = content
    change.valueJson = json
    change.entryJson = `{"key":"${key}","version":${versionText},"value":${json}}`
  } else if (isJsonObject(content)) {
    change.base = base
    change.patch = content
  }
  return change
}

/** The value of a JSON text, or `undefined` if no client could have written it. */
function contentOf(json: string): JsonValue | undefined {
  try {
    const value = parseJson(json)
    return isSurelySmall(json) || isJsonValue(value, MAX_VALUE_DEPTH) ? value : undefined
  } catch {
    return undefined
  }
}

/** Each level takes two characters, and so short a number is finite unless its exponent has three digits. */
const isSurelySmall = (json: string): boolean => json.length <= 2 * MAX_VALUE_DEPTH && !/[eE]\+?\d{3}/.test(json)

function parseAnyLayout(text: string): StateChange {
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
    // Refused below, like everything that is not an object.
  }
  throw invalid()
}

const isVersion = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const invalid = (): RealtimeError =>
  new RealtimeError('INVALID_MESSAGE', { message: 'Dropped a message on the watch channel: it is not a valid change.' })
