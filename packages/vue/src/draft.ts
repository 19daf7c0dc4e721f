import { equalJson, type JsonValue } from '@tutti/protocol'
import { ref } from 'vue'
import { isPlain, plainCopy } from './plain-copy.ts'
import { reconcile } from './reconcile.ts'

/** What an application did to a draft. */
export interface DraftChange {
  readonly from: JsonValue
  readonly to: JsonValue
}

/** A reactive copy of a value, which the application may change in place. */
export interface Draft {
  /** Tracked, and so is all that is read inside. */
  readonly value: JsonValue | undefined
  /** Shows another value, by changing what differs. */
  show(value: JsonValue | undefined): void
  /** What was changed in place since it was asked last, or since `show`; `undefined` for nothing. */
  takeChange(): DraftChange | undefined
  /** Lets go of what it shows, so that the next value is made of other objects. */
  reset(): void
}

/** Which draft an object belongs to: moved from one draft to another, it would be changed by both. */
export type Owners = WeakMap<object, Draft>

/** Makes a draft that shows nothing yet. */
export function createDraft(owners: Owners): Draft {
  let shown: JsonValue | undefined
  let raw: JsonValue | undefined
  const live = ref<JsonValue>()
  const mine = (object: object): boolean => {
    if (!owners.has(object)) owners.set(object, draft)
    return owners.get(object) === draft
  }
  const draft: Draft = {
    get value() {
      return live.value
    },
    show: (value) => {
      const seen = new Set<object>()
      /** What the application put in two places becomes two things, and what it froze becomes a copy. */
      const mayChange = (object: object): boolean => {
        const again = seen.has(object)
        seen.add(object)
        return !again && mine(object) && isPlain(object) && Object.isExtensible(object)
      }
      shown = value
      raw = value === undefined ? undefined : reconcile(raw, value, mayChange)
      live.value = raw
    },
    takeChange: () => {
      if (shown === undefined || raw === undefined) return undefined
      const from = shown
      const to = plainCopy(raw)
      if (equalJson(to, from)) return undefined
      shown = to
      return { from, to }
    },
    reset: () => {
      shown = raw = undefined
    },
  }
  return draft
}
