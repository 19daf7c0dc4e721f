import { collection, type Collection, type CollectionOptions, type CollectionSnapshot } from '@tutti/client/collection'
import { COLLECTION_DEFAULTS } from '@tutti/client/internal'
import type { JsonValue } from '@tutti/protocol'
import { onScopeDispose, shallowRef, toValue, watch, type MaybeRefOrGetter, type ShallowRef } from 'vue'
import { bridgeObservable } from '../bridge-observable.ts'
import { useRealtimeContext } from '../realtime-context.ts'
import { mergeChange } from '../send-change.ts'
import { createItem, type ItemChanges, type OwnedItem, type RealtimeItem } from './realtime-item.ts'
import { renderedCollection } from './rendered-collection.ts'

/** A collection in a component, until its scope ends. */
export interface FollowedCollection {
  readonly items: Readonly<ShallowRef<readonly RealtimeItem<JsonValue>[]>>
  readonly snapshot: Readonly<ShallowRef<CollectionSnapshot<JsonValue>>>
  /** The collection, after the changes in place under the key were applied to it. */
  handle(key?: string): Collection<JsonValue>
}

/** Follows all entries below a prefix, also if the prefix changes. */
export function followCollection(prefix: MaybeRefOrGetter<string>, options: CollectionOptions): FollowedCollection {
  const { client, onServer, owners, page } = useRealtimeContext()
  const take = (): Collection<JsonValue> => collection<JsonValue>(client, toValue(prefix), options)
  const owned = new Map<string, OwnedItem>()
  const items = shallowRef<readonly RealtimeItem<JsonValue>[]>([])
  let handle = take()
  // No scope ends on a server, and nothing is retained there.
  if (onServer) handle.dispose()

  const changes: ItemChanges = {
    owners,
    assign: (key, value) => void handle.set(key, value),
    // Not a patch, which would restore a part of an entry that was removed in the meantime. `set` rejects values that are not
    // JSON.
    change: (key, { from, to, isJson }) =>
      void (isJson
        ? handle.update(key, (newest) => (newest === undefined ? undefined : mergeChange(from, to, newest)))
        : handle.set(key, to)),
  }
  const show = (): void => {
    // Pending changes in place are sent first, so that they are included.
    for (const next of bridge.current.items) {
      const mine = owned.get(next.key)
      if (mine && mine.shown !== next) mine.send()
    }
    const now = (snapshot.value = bridge.current)
    const gone = new Map(owned)
    const list = now.items.map((next) => {
      gone.delete(next.key)
      const mine = owned.get(next.key) ?? createItem(next, changes)
      owned.set(next.key, mine)
      if (mine.shown !== next) mine.show(next)
      return mine.item
    })
    for (const [key, mine] of gone) {
      mine.end()
      owned.delete(key)
    }
    if (list.length !== items.value.length || list.some((item, index) => item !== items.value[index])) items.value = list
  }
  const bridge = bridgeObservable(handle, {
    onServer,
    rendered: () => renderedCollection(page, handle.prefix),
    load: () => page.loadBelow(handle.prefix, options.limit ?? COLLECTION_DEFAULTS.limit),
    onChange: show,
  })
  const snapshot = shallowRef(bridge.current)
  show()
  const sendAll = (): void => {
    for (const mine of owned.values()) mine.send()
  }
  const follow = (): void => {
    const before = handle
    sendAll()
    handle = take()
    before.dispose()
    bridge.follow(handle)
  }
  watch(() => toValue(prefix), follow, { flush: 'sync' })
  onScopeDispose(() => {
    sendAll()
    handle.dispose()
    for (const mine of owned.values()) mine.end()
  }, true)
  return {
    items,
    snapshot,
    handle: (key) => {
      if (key !== undefined) owned.get(key)?.send()
      return handle
    },
  }
}
