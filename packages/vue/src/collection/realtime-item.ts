import type { CollectionItem } from '@tutti/client/collection'
import type { JsonValue } from '@tutti/protocol'
import { effectScope, shallowRef, watch } from 'vue'
import { createDraft, type Draft, type DraftChange, type Owners } from '../draft.ts'

/** One entry of a collection. The same object as long as the entry is in it; its properties are tracked one by one. */
export interface RealtimeItem<T> {
  readonly key: string
  /**
   * May be changed in place (`item.value.done = true`), which is sent once per tick. Assigning stores the whole value. Once the
   * entry is removed, changes of it have no effect.
   */
  value: T
  /** The version of the confirmed entry, 0 where none is stored yet; `undefined` while it is not known. */
  readonly version: number | undefined
  /** Changes of this client on this entry are not yet confirmed. */
  readonly pending: boolean
}

/** An item with its owner's end. */
export interface OwnedItem {
  readonly item: RealtimeItem<JsonValue>
  /** What it shows; what was changed in place lies on top until it is sent. */
  readonly shown: CollectionItem<JsonValue>
  show(next: CollectionItem<JsonValue>): void
  /** Sends what was changed in place. */
  send(): void
  end(): void
}

/** How changes of items leave them. */
export interface ItemChanges {
  owners: Owners
  assign(key: string, value: JsonValue): void
  change(key: string, change: DraftChange): void
}

/** Makes an item. It has no draft and no watcher before its value is read: most of a long list is never on the screen. */
export function createItem(first: CollectionItem<JsonValue>, { owners, assign, change }: ItemChanges): OwnedItem {
  const { key } = first
  const shown = shallowRef(first)
  const scope = effectScope(true)
  let latest = first
  let draft: Draft | undefined

  const send = (): void => {
    const made = scope.active && draft?.takeChange()
    if (!made) return
    change(key, made)
    // What was refused at once is taken back.
    draft?.show(latest.value)
  }
  const open = (): Draft => {
    if (draft) return draft
    const opened = (draft = createDraft(owners))
    opened.show(latest.value)
    scope.run(() => watch(opened.track, send))
    return opened
  }
  return {
    item: {
      key,
      get value() {
        return open().value ?? null
      },
      set value(next) {
        send()
        if (scope.active) assign(key, next)
      },
      get version() {
        return shown.value.version
      },
      get pending() {
        return shown.value.pending
      },
    },
    get shown() {
      return latest
    },
    show: (next) => {
      latest = shown.value = next
      draft?.show(next.value)
    },
    send,
    end: () => scope.stop(),
  }
}
