import { equalJson, jsonCopy, MAX_VALUE_DEPTH, type JsonValue } from '@tutti/protocol'
import { isPlain } from '@tutti/protocol/internal'
import { isReactive, isRef, reactive, ref } from 'vue'
import { reconcile } from './reconcile.ts'

/** A change of a draft by the application. */
export interface DraftChange {
  readonly from: JsonValue
  /** JSON, unless `isJson` is false. */
  readonly to: JsonValue
  /** False if the application added something to the value that is not JSON (S24): the change is rejected as a whole. */
  readonly isJson: boolean
}

/** A reactive copy of a value, which the application may change in place. */
export interface Draft {
  /** Tracked, including all properties that are read inside. */
  readonly value: JsonValue | undefined
  /** Tracks all parts of the value. Returns another object each time, so that a watcher of it runs after each change. */
  track(): object
  /** Shows another value by changing only the differences. */
  show(value: JsonValue | undefined): void
  /**
   * The changes in place since the last call, or since `show`; `undefined` for none. A value that is not JSON is returned once.
   */
  takeChange(): DraftChange | undefined
  /** Whether a value is equal to the shown one. */
  shows(value: unknown): boolean
  /** Drops the shown objects, so that the next value consists of new ones. */
  reset(): void
}

/** The draft that an object belongs to: an object in two drafts would be changed by both. */
export type Owners = WeakMap<object, Draft>

/** Creates an empty draft. */
export function createDraft(owners: Owners): Draft {
  let shown: JsonValue | undefined
  let raw: JsonValue | undefined
  /** `raw` contains values that are not JSON, until the next `show`. */
  let isInvalid = false
  const live = ref<JsonValue>()
  const mine = (object: object): boolean => {
    if (!owners.has(object)) owners.set(object, draft)
    return owners.get(object) === draft
  }
  /**
   * Removes properties that `reconcile` cannot replace: refs, because Vue assigns to the ref, and getters. Only in objects that
   * belong to the draft: objects of the application are not changed.
   */
  const removeUnassignable = (object: unknown, seen: Set<unknown>): void => {
    if (typeof object !== 'object' || object === null || seen.has(object) || owners.get(object) !== draft) return
    seen.add(object)
    for (const name of Object.keys(object)) {
      const part: unknown = Object.getOwnPropertyDescriptor(object, name)?.value
      if (part !== undefined && !isRef(part)) removeUnassignable(part, seen)
      // Vue reads a property that it deletes, so a getter is replaced first.
      else if (Reflect.defineProperty(object, name, { value: undefined })) Reflect.deleteProperty(reactive(object), name)
    }
  }
  const draft: Draft = {
    get value() {
      return live.value
    },
    track: () => {
      try {
        trackAll(live.value, MAX_VALUE_DEPTH, new Set())
      } catch {
        // A getter of the application threw. The properties read so far are tracked, and so are their names.
      }
      return {}
    },
    show: (value) => {
      const seen = new Set<object>()
      /** A value used in two places becomes two objects, and a frozen one becomes a copy. */
      const mayChange = (object: object): boolean => {
        const again = seen.has(object)
        seen.add(object)
        return !again && (Array.isArray(object) || isPlain(object)) && mine(object) && Object.isExtensible(object)
      }
      shown = value
      try {
        if (isInvalid) removeUnassignable(raw, new Set())
        isInvalid = false
        raw = value === undefined ? undefined : reconcile(raw, value, mayChange)
      } catch {
        // The application defined a property that cannot be read or assigned: all objects are replaced.
        raw = jsonCopy(value)
      }
      live.value = raw
    },
    takeChange: () => {
      if (isInvalid || shown === undefined || raw === undefined) return undefined
      const from = shown
      try {
        const to = jsonCopy(raw)
        if (equalJson(to, from)) return undefined
        shown = to
        return { from, to, isJson: true }
      } catch {
        isInvalid = true
        return { from, to: raw, isJson: false }
      }
    },
    shows: (value) => {
      if (value === undefined || shown === undefined) return value === shown
      try {
        return equalJson(jsonCopy(value), shown)
      } catch {
        return false
      }
    },
    reset: () => {
      shown = raw = undefined
      isInvalid = false
    },
  }
  return draft
}

/**
 * Tracks only parts that JSON can represent; deeper values are not JSON. Vue's own deep watchers visit each index of a sparse
 * array, follow any depth, and stop for good at a getter that throws.
 */
function trackAll(value: unknown, levels: number, seen: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || !isReactive(value) || levels === 0 || seen.has(value)) return
  seen.add(value)
  for (const part of Object.values(value)) trackAll(part, levels - 1, seen)
}
