import type { Driver, TransactionOptions } from 'unstorage'
import type { StateStore } from './contract.ts'
import { parseText } from './stored-text.ts'
import type { RawStore } from './raw-store.ts'
import { itemOfText, rawOfText } from './unstorage-item.ts'

// The driver side of both stores (S11, S21). unstorage calls a driver's methods unbound, passes keys relative to the mount, and
// reports changes itself unless the driver has a `watch`, which must then report all of them, including its own writes.
// setItems, getItems and setItemRaw are omitted on purpose; unstorage derives them from the others.

/** One object that unstorage can mount and a server can use as its `state`. */
export type ReactiveDriver = Driver & StateStore

/** Creates the driver of a store. */
export function unstorageDriver(name: string, store: RawStore): ReactiveDriver {
  const removeItem = async (key: string): Promise<void> => {
    const owner = ownerOfMeta(key)
    if (owner === undefined) await store.write({ op: 'remove', key })
    else await store.setMeta(owner, null)
  }
  const getText = (key: string): Promise<string | null> => {
    const owner = ownerOfMeta(key)
    return owner === undefined ? store.getText(key) : store.getMeta(owner)
  }
  const { read, readChanged, list, write, onChange, touch, reindex, onGap, now, dispose } = store
  return {
    ...{ read, readChanged, list, write, onChange, touch, reindex, onGap, now, dispose },
    get droppedMessages() {
      return store.droppedMessages ?? 0
    },
    base: store.base,
    name,
    flags: { ttl: true },
    hasItem: async (key) => (await getText(key)) !== null,
    getItem: async (key) => {
      const text = await getText(key)
      return text === null || ownerOfMeta(key) !== undefined ? text : itemOfText(text)
    },
    getItemRaw: async (key) => {
      const text = await getText(key)
      return text === null ? null : rawOfText(text)
    },
    setItem: async (key, value, options) => {
      const owner = ownerOfMeta(key)
      const text = parseText(value)
      await (owner === undefined ? store.setText(key, text, ttlMsOf(options)) : store.setMeta(owner, text))
    },
    removeItem,
    getKeys: (base) => store.keys(base ?? ''),
    getMeta: async (key) => {
      const info = await store.info(key)
      if (info === null) return null
      const { version, expiresAt } = info
      // A version is a time in microseconds, except when several changes occur within one microsecond.
      const meta = { version, mtime: new Date(version / 1000) }
      return expiresAt === undefined ? meta : { ...meta, ttl: Math.max(0, Math.round((expiresAt - Date.now()) / 1000)) }
    },
    clear: async (base) => {
      const keys = await store.keys(base ?? '')
      await Promise.all(keys.map(async (key) => Promise.all([removeItem(key), store.setMeta(key, null)])))
    },
    watch: async (callback) => {
      const stop = store.onChange((change) => void callback(change.removed === true ? 'remove' : 'update', change.key))
      await stop.ready
      return stop
    },
  }
}

/** unstorage stores the meta of `key` under `key$`. */
const ownerOfMeta = (key: string): string | undefined => (key.endsWith('$') ? key.slice(0, -1) : undefined)

/** unstorage's `ttl` is in seconds; 0 means none (S18). */
function ttlMsOf(options: TransactionOptions | undefined): number | undefined {
  const ttl: unknown = options?.['ttl']
  return typeof ttl === 'number' && ttl > 0 && Number.isFinite(ttl) ? Math.ceil(ttl * 1000) : undefined
}
