import type { CollectionItem } from '@tutti/client/collection'
import type { JsonValue } from '@tutti/protocol'
import { effectScope, shallowRef, watch } from 'vue'
import { createDraft, type Draft, type DraftChange, type Owners } from '../draft.ts'

/** One entry of a collection. The same object as long as the entry exists; its properties are tracked one by one. */
export interface RealtimeItem<T> {
  readonly key: string
  /**
   * May be changed in place (`item.value.done = true`); changes are sent once per tick. Assigning stores the whole value. Once
   * the entry is removed, changes have no effect.
   */
  value: T
  /** The version of the confirmed entry, 0 if none is stored yet; `undefined` until it is known. */
  readonly version: number | undefined
  /** Changes of this client on this entry are not yet confirmed. */
  readonly pending: boolean
}

/** An item with the interface for its owner. */
export interface OwnedItem {
  readonly item: RealtimeItem<JsonValue>
  /** The shown entry, without unsent changes in place. */
  readonly shown: CollectionItem<JsonValue>
  show(next: CollectionItem<JsonValue>): void
  /** Sends changes made in place. */
  send(): void
  end(): void
}

/** The callbacks for changes of items. */
export interface ItemChanges {
  owners: Owners
  assign(key: string, value: JsonValue): void
  change(key: string, change: DraftChange): void
}

/** Creates an item. Draft and watcher are created when its value is first read: most of a long list is never on the screen. */
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
    // A change that was refused at once is reverted.
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
