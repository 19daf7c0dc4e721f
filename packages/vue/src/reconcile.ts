import { equalJson, jsonCopy, type JsonObject, type JsonValue } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'
import { reactive, toRaw } from 'vue'

/** Whether an object may be changed in place. */
export type MayChange = (object: object) => boolean

/**
 * Turns one value into another in place, so that the reactive objects of an application remain the same, and only differences
 * are rendered. Returns `raw`, or a copy of `next` if `raw` cannot be changed to it.
 */
export function reconcile(raw: JsonValue | undefined, next: JsonValue, mayChange: MayChange): JsonValue {
  if (Array.isArray(raw) && Array.isArray(next) && mayChange(raw)) reconcileArray(raw, next, mayChange)
  else if (isJsonObject(raw) && isJsonObject(next) && mayChange(raw)) {
    // A property named `__proto__` is data like any other, but cannot be assigned. Equal parts are kept: a copy would be a
    // change.
    if (!Object.hasOwn(next, '__proto__')) reconcileObject(raw, next, mayChange)
    else if (!equalJson(raw, next)) return jsonCopy(next)
  } else return jsonCopy(next)
  return raw
}

function reconcileObject(raw: JsonObject, next: JsonObject, mayChange: MayChange): void {
  const live: JsonObject = reactive(raw)
  const names = Object.keys(next)
  // Lists show properties in their order, which must be the same in all clients: from the first difference on, all are added
  // again.
  const before = Object.keys(raw)
  const moved = before.findIndex((name, index) => name !== names[index])
  const earlier = moved < 0 ? raw : { ...raw }
  if (moved >= 0) for (const name of before.slice(moved)) delete live[name]
  for (const [name, value] of Object.entries(next)) {
    const item = reconcile(Object.hasOwn(earlier, name) ? toRaw(earlier[name]) : undefined, value, mayChange)
    if (!Object.hasOwn(raw, name) || raw[name] !== item) live[name] = item
  }
}

function reconcileArray(raw: JsonValue[], next: readonly JsonValue[], mayChange: MayChange): void {
  const live: unknown[] = reactive<unknown[]>(raw)
  const before = [...raw]
  const earlier = earlierItems(before, next)
  next.forEach((value, index) => {
    const item = reconcile(toRaw(earlier(index)), value, mayChange)
    if (index >= raw.length || raw[index] !== item) live[index] = item
  })
  if (raw.length > next.length) live.length = next.length
}

/** Finds the previous state of an item of the new list, if it existed. */
function earlierItems(before: readonly JsonValue[], next: readonly JsonValue[]): (index: number) => JsonValue | undefined {
  const shorter = Math.min(before.length, next.length)
  let head = 0
  while (head < shorter && isSame(before[head], next[head])) head++
  let tail = 0
  while (tail < shorter - head && isSame(before.at(-1 - tail), next.at(-1 - tail))) tail++
  return (index) => {
    if (index < head) return before[index]
    if (index >= next.length - tail) return before[index + before.length - next.length]
    // The same number of items between the same neighbours are the same items, changed; otherwise they cannot be matched.
    return before.length === next.length && haveSameId(before[index], next[index]) ? before[index] : undefined
  }
}

const isSame = (a: JsonValue | undefined, b: JsonValue | undefined): boolean => a !== undefined && b !== undefined && equalJson(a, b)

/** An item with another `id` is another item. */
const haveSameId = (a: JsonValue | undefined, b: JsonValue | undefined): boolean =>
  !isJsonObject(a) || !isJsonObject(b) || a['id'] === b['id']
