import { applyPatch, incremented, jsonCopy, RealtimeError, type JsonObject, type JsonValue } from '@tutti/protocol'
import { composePatches, isJsonObject } from '@tutti/protocol/internal'

/** One local change of one key, not yet confirmed. */
export type Change =
  /** `value: undefined` removes; `ifVersion`: only if the entry still has this version (S6, `onlyIfUnchanged`). */
  | { readonly op: 'set'; readonly value: JsonValue | undefined; readonly ifVersion?: number }
  /** An absent key starts at `initial`. */
  | { readonly op: 'increment'; readonly by: number; readonly initial: number }
  | { readonly op: 'patch'; readonly patch: JsonObject }
  /** Runs again whenever another client wrote before it. */
  | { readonly op: 'update'; readonly run: (value: JsonValue | undefined) => unknown }

/** A patch that was given; throws `INVALID_VALUE` where it is no object of JSON. */
export function patchOf(given: unknown): Change {
  const patch = jsonCopy(given)
  if (!isJsonObject(patch)) throw new RealtimeError('INVALID_VALUE', { message: 'patch() requires an object.' })
  return { op: 'patch', patch }
}

/** The result of an update for a value; throws what the function throws, and `INVALID_VALUE` if the result is not JSON. */
export function runUpdate(run: (value: JsonValue | undefined) => unknown, value: JsonValue | undefined): JsonValue | undefined {
  const result = run(value)
  return result === undefined ? undefined : jsonCopy(result)
}

/** The value with the change laid on top, as it is shown before the server has answered (S13). */
export function applyChange(value: JsonValue | undefined, change: Change): JsonValue | undefined {
  switch (change.op) {
    case 'set':
      return change.value
    case 'increment':
      // A change that the server will refuse has no effect.
      return incremented(value === undefined ? change.initial : value, change.by) ?? value
    case 'patch':
      return applyPatch(value, change.patch)
    case 'update':
      try {
        return runUpdate(change.run, value)
      } catch {
        // It may fail only on this value, which is not yet the one that it will run on.
        return value
      }
  }
}

/**
 * One change with the effect of both in order, or `undefined` if they must be sent separately (S14): the last set, the sum of
 * increments, the merged patch. Sets with different conditions and updates are never merged.
 */
export function mergeChanges(first: Change, second: Change): Change | undefined {
  if (first.op === 'set' && second.op === 'set') return first.ifVersion === second.ifVersion ? second : undefined
  if (first.op === 'increment' && second.op === 'increment') {
    const by = incremented(first.by, second.by)
    return by === undefined || first.initial !== second.initial ? undefined : { ...first, by }
  }
  if (first.op === 'patch' && second.op === 'patch') {
    const patch = composePatches(first.patch, second.patch)
    // Two objects compose to an object, or to what no single patch can express.
    return isJsonObject(patch) ? { op: 'patch', patch } : undefined
  }
  return undefined
}
