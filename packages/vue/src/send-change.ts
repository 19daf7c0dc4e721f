import type { MergePatch, StateHandle } from '@tutti/client'
import { applyPatch, createPatch, equalJson, jsonCopy, type JsonObject, type JsonValue } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'
import type { DraftChange } from './draft.ts'

/**
 * Sends a change in place in the smallest form (S8): a patch; an update, if RFC 7396 cannot express it or nothing is stored
 * that a patch could be merged into; the whole value, if it is not an object.
 */
export function sendChange(handle: StateHandle<JsonValue>, { from, to, isJson }: DraftChange, isStored: boolean): Promise<void> {
  // `set` rejects values that are not JSON, and `error` contains the reason.
  if (!isJson || !isJsonObject(from) || !isJsonObject(to)) return handle.set(to)
  const patch = isStored ? createPatch(from, to) : undefined
  return patch ? handle.patch(patch) : handle.update((newest) => mergeChange(from, to, newest))
}

/** Merges a patch; if nothing is stored, into the default, so that the stored value is complete. */
export function sendPatch(handle: StateHandle<JsonValue>, patch: MergePatch<JsonValue>, fallback: JsonValue | undefined): Promise<void> {
  if (!isJsonObject(fallback) || handle.current.value !== undefined) return handle.patch(patch)
  try {
    const copy = jsonCopy(patch)
    if (isJsonObject(copy)) return handle.update((newest = fallback) => applyPatch(newest, copy))
  } catch {
    // `patch` rejects it, and `error` contains the reason.
  }
  return handle.patch(patch)
}

/** Updates by a function, which receives a copy, because it may modify its argument. */
export const sendUpdate = (
  handle: StateHandle<JsonValue>,
  run: (value: JsonValue | undefined) => JsonValue | undefined,
  fallback: JsonValue | undefined,
): Promise<void> => handle.update((newest = fallback) => run(newest === undefined ? undefined : jsonCopy(newest)))

/** Applies the change of `from` to the newest value, property by property; arrays are replaced as a whole, as in a patch. */
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
