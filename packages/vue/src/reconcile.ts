import { equalJson, isJsonObject, jsonCopy, type JsonObject, type JsonValue } from '@tutti/protocol'
import { reactive, toRaw } from 'vue'

/** Tells whether an object may be changed in place. */
export type MayChange = (object: object) => boolean

/**
 * Makes one value out of another in place, so that the reactive objects which an application holds stay the same things, and
 * only what differs is rendered again. Returns `raw`, or a copy of `next` where `raw` can't become it.
 */
export function reconcile(raw: JsonValue | undefined, next: JsonValue, mayChange: MayChange): JsonValue {
  if (Array.isArray(raw) && Array.isArray(next) && mayChange(raw)) reconcileArray(raw, next, mayChange)
  else if (isJsonObject(raw) && isJsonObject(next) && mayChange(raw)) {
    // A property named `__proto__` is data like any other, but can't be assigned. What is equal stays: a copy would be a change.
    if (!Object.hasOwn(next, '__proto__')) reconcileObject(raw, next, mayChange)
    else if (!equalJson(raw, next)) return jsonCopy(next)
  } else return jsonCopy(next)
  return raw
}

function reconcileObject(raw: JsonObject, next: JsonObject, mayChange: MayChange): void {
  const live: JsonObject = reactive(raw)
  const names = Object.keys(next)
  // Lists of properties show them in their order, which is to be the same for everybody: from where it differs all are put anew.
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

/** Finds for an item of the new list what it was in the old one, if it was there. */
function earlierItems(before: readonly JsonValue[], next: readonly JsonValue[]): (index: number) => JsonValue | undefined {
  const shorter = Math.min(before.length, next.length)
  let head = 0
  while (head < shorter && isSame(before[head], next[head])) head++
  let tail = 0
  while (tail < shorter - head && isSame(before.at(-1 - tail), next.at(-1 - tail))) tail++
  return (index) => {
    if (index < head) return before[index]
    if (index >= next.length - tail) return before[index + before.length - next.length]
    // As many between the same neighbours as before are the same things, changed; otherwise nobody knows which is which.
    return before.length === next.length && haveSameId(before[index], next[index]) ? before[index] : undefined
  }
}

const isSame = (a: JsonValue | undefined, b: JsonValue | undefined): boolean => a !== undefined && b !== undefined && equalJson(a, b)

/** An item that has another `id` is another item. */
const haveSameId = (a: JsonValue | undefined, b: JsonValue | undefined): boolean =>
  !isJsonObject(a) || !isJsonObject(b) || a['id'] === b['id']
