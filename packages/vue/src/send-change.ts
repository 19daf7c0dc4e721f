import type { MergePatch, StateHandle } from '@tutti/client'
import { applyPatch, createPatch, equalJson, isJsonObject, jsonCopy, type JsonObject, type JsonValue } from '@tutti/protocol'
import type { DraftChange } from './draft.ts'

/**
 * Sends what was changed in place as the smallest thing that says it (S8): a patch; an update, where RFC 7396 can't say it or
 * where nothing is stored yet that a patch could be merged into; the whole value, where that is no object.
 */
export function sendChange(handle: StateHandle<JsonValue>, { from, to, isJson }: DraftChange, isStored: boolean): Promise<void> {
  // `set` rejects what is not JSON, and `error` says so.
  if (!isJson || !isJsonObject(from) || !isJsonObject(to)) return handle.set(to)
  const patch = isStored ? createPatch(from, to) : undefined
  return patch ? handle.patch(patch) : handle.update((newest) => mergeChange(from, to, newest))
}

/** Merges a patch; where nothing is stored, into the default, so that what is stored then is complete. */
export function sendPatch(handle: StateHandle<JsonValue>, patch: MergePatch<JsonValue>, fallback: JsonValue | undefined): Promise<void> {
  if (!isJsonObject(fallback) || handle.current.value !== undefined) return handle.patch(patch)
  try {
    const copy = jsonCopy(patch)
    if (isJsonObject(copy)) return handle.update((newest = fallback) => applyPatch(newest, copy))
  } catch {
    // `patch` rejects it, and `error` says so.
  }
  return handle.patch(patch)
}

/** Updates by a function, which gets a copy: it may be one that changes what it is given. */
export const sendUpdate = (
  handle: StateHandle<JsonValue>,
  run: (value: JsonValue | undefined) => JsonValue | undefined,
  fallback: JsonValue | undefined,
): Promise<void> => handle.update((newest = fallback) => run(newest === undefined ? undefined : jsonCopy(newest)))

/** Does to the newest value what was done to `from`, property by property; arrays are replaced as a whole, as in a patch. */
export function mergeChange(from: JsonValue | undefined, to: JsonValue, newest: JsonValue | undefined): JsonValue {
  if (!isJsonObject(from) || !isJsonObject(to) || !isJsonObject(newest)) return to
  const merged = new Map(Object.entries(newest))
  for (const name of Object.keys({ ...from, ...to })) {
    const [before, after] = [own(from, name), own(to, name)]
    if (after === undefined) merged.delete(name)
    else if (before === undefined || !equalJson(before, after)) merged.set(name, mergeChange(before, after, merged.get(name)))
  }
  return Object.fromEntries(merged)
}

const own = (object: JsonObject, name: string): JsonValue | undefined => (Object.hasOwn(object, name) ? object[name] : undefined)
