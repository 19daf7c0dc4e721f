import { fromWireError, type RealtimeError, type WireHolder } from '@tutti/protocol'
import type { ClientInternals } from '../create-realtime-client.ts'
import { createSubscriptions } from '../connection/subscriptions.ts'
import { createLockRecord, type LockRecord } from './lock-record.ts'
import { oncePerClient } from '../once-per-client.ts'

/** The holders that the server sends for a key, or for all keys below a prefix, which ends with a `:`. */
export interface LockView {
  readonly holders: ReadonlyMap<string, WireHolder>
  readonly isLoaded: boolean
  readonly error: RealtimeError | undefined
}

/** The locks that one client uses. */
export interface LockRegistry {
  /** The record of a key, one for all handles. */
  record(key: string): LockRecord
  /** Follows a key or a prefix until the returned function is called. */
  watch(name: string, onChange: () => void): { readonly view: () => LockView; end(): void }
  /** Runs the listener when something of a key's own lock has changed. */
  onOwn(key: string, listener: () => void): () => void
}

interface Watched {
  view: LockView
  readonly listeners: Set<() => void>
}

const EMPTY: LockView = { holders: new Map(), isLoaded: false, error: undefined }

/** The locks of a client, made for its first handle. */
export const lockRegistryOf = oncePerClient(createLockRegistry)

function createLockRegistry(internals: ClientInternals): LockRegistry {
  const { connection } = internals
  const records = new Map<string, LockRecord>()
  const own = new Map<string, Set<() => void>>()
  const watched = new Map<string, Watched>()
  const targetOf = (name: string): { key: string } | { prefix: string } => (name.endsWith(':') ? { prefix: name } : { key: name })

  const show = (name: string, view: LockView): void => {
    const item = watched.get(name)
    if (!item) return
    item.view = view
    for (const listener of [...item.listeners]) listener()
  }
  const subscriptions = createSubscriptions({
    ...internals,
    batches: (names) => names.map((name) => [name]),
    request: ([name = ''], on, done) => {
      if (!on) return connection.request('lock:unsubscribe', targetOf(name), ({ error }) => done(error))
      connection.request('lock:subscribe', targetOf(name), ({ result, error }) => {
        done(error)
        if (result) {
          const holders = new Map(result.locks.map(({ key, holder }) => [key, holder]))
          show(name, { holders, isLoaded: true, error: undefined })
        }
      })
    },
    onRefused: (name, error) => show(name, { ...EMPTY, error }),
    onGone: (name) => {
      if (watched.get(name)?.listeners.size === 0) watched.delete(name)
    },
  })
  const change = (key: string, holder: WireHolder | undefined): void => {
    for (const [name, { view }] of watched) {
      if (!(name === key || (name.endsWith(':') && key.startsWith(name)))) continue
      const holders = new Map(view.holders)
      if (holder) holders.set(key, holder)
      else holders.delete(key)
      show(name, { ...view, holders })
    }
  }

  connection.attach({
    onUp: () => {
      for (const record of records.values()) record.up()
      subscriptions.restore()
    },
    onDown: () => {
      for (const record of records.values()) record.down()
      subscriptions.lose()
    },
    'server:revoked': ({ target, error }) => {
      if ('locks' in target) return subscriptions.revoke(target.locks, fromWireError(error))
      if (!('lock' in target)) return
      if (target.held) records.get(target.lock)?.lost(undefined)
      else subscriptions.revoke(target.lock, fromWireError(error))
    },
    'lock:granted': (notice) => {
      const record = records.get(notice.key)
      if (record) record.granted(notice)
      // No handle knows it any more.
      else connection.request('lock:release', { key: notice.key, token: notice.token }, () => {})
    },
    'lock:refused': (notice) => records.get(notice.key)?.refused(notice),
    'lock:changed': ({ key, holder, lost }) => {
      if (lost === undefined) change(key, holder)
      else records.get(key)?.lost(lost)
    },
  })

  return {
    record: (key) => {
      const record =
        records.get(key) ??
        createLockRecord({
          ...internals,
          key,
          onChange: () => {
            for (const listener of [...(own.get(key) ?? [])]) listener()
          },
        })
      records.set(key, record)
      return record
    },
    watch: (name, onChange) => {
      const item: Watched = watched.get(name) ?? { view: EMPTY, listeners: new Set() }
      watched.set(name, item)
      item.listeners.add(onChange)
      subscriptions.want(name)
      return {
        view: () => item.view,
        end: () => {
          if (!item.listeners.delete(onChange) || item.listeners.size > 0) return
          subscriptions.unwant(name)
        },
      }
    },
    onOwn: (key, listener) => {
      const listeners = own.get(key) ?? new Set()
      own.set(key, listeners.add(listener))
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        own.delete(key)
        if (records.get(key)?.isIdle) records.delete(key)
      }
    },
  }
}
