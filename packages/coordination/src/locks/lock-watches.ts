import { RealtimeError } from '@tutti/protocol'
import { callSafely, createDeferred } from '@tutti/protocol/internal'
import type { LockHolder, LocksView, LockTarget, Locks } from './lock-contract.ts'

/** The views of locks of one instance. */
export interface LockWatches extends Pick<Locks, 'watch'> {
  /** Whether a view includes the key. */
  has(key: string): boolean
  /** A lock was granted or has ended. */
  apply(key: string, holder: LockHolder | undefined): void
  /** Reads all views again: changes may have been missed. Resolves with false if that failed. */
  resync(): Promise<boolean>
  close(): void
}

/** What views need. */
export interface LockWatchesOptions {
  /** Begins to follow the changes of the locks. Rejects if that is not possible now. */
  follow(target: LockTarget): { readonly ready: Promise<void>; end(): void }
  read(target: LockTarget): Promise<ReadonlyMap<string, LockHolder>>
  onListenerError(error: unknown): void
}

interface Watch {
  apply(key: string, holder: LockHolder | undefined): void
  read(): Promise<void>
  close(error: unknown): void
}

const isSameHolder = (a: LockHolder | undefined, b: LockHolder | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.user === b.user && JSON.stringify(a.info) === JSON.stringify(b.info))

/** Makes an empty set of views. */
export function createLockWatches({ follow, read, onListenerError }: LockWatchesOptions): LockWatches {
  /** By key or prefix, which ends with a `:`. */
  const watches = new Map<string, Set<Watch>>()
  const all = (): Watch[] => [...watches.values()].flatMap((some) => [...some])
  const watchesOf = (key: string): Watch[] => {
    if (watches.size === 0) return []
    const names = [...key.matchAll(/:/g)].map(({ index }) => key.slice(0, index + 1))
    return [key, ...names].flatMap((name) => [...(watches.get(name) ?? [])])
  }

  const watch = (target: LockTarget, onChange: (key: string, holder: LockHolder | undefined) => void): LocksView => {
    const name = 'key' in target ? target.key : target.prefix
    const holders = new Map<string, LockHolder>()
    const ended = createDeferred<never>()
    const following = follow(target)
    let isLive = false
    let reads = 0
    let missed: [key: string, holder: LockHolder | undefined][] | undefined = []

    const show = (key: string, holder: LockHolder | undefined): void => {
      const before = holders.get(key)
      if (holder === undefined) holders.delete(key)
      else holders.set(key, holder)
      if (isLive && !isSameHolder(before, holder)) callSafely(() => onChange(key, holder), onListenerError)
    }
    const self: Watch = {
      apply: (key, holder) => {
        if (missed === undefined) show(key, holder)
        else missed.push([key, holder])
      },
      read: async () => {
        missed ??= []
        reads += 1
        try {
          const found = await read(target)
          for (const key of [...holders.keys()]) if (!found.has(key)) show(key, undefined)
          for (const [key, holder] of found) show(key, holder)
        } finally {
          reads -= 1
          // The last of the messages of a lock is its state, or older than what was read and then equal to it. Reads may overlap.
          const after = reads === 0 ? (missed ?? []) : []
          if (reads === 0) missed = undefined
          for (const [key, holder] of after) show(key, holder)
        }
      },
      close: (error) => {
        const same = watches.get(name)
        if (same?.delete(self) !== true) return
        if (same.size === 0) watches.delete(name)
        following.end()
        ended.reject(error)
      },
    }
    watches.set(name, (watches.get(name) ?? new Set()).add(self))
    const ready = Promise.race([following.ready.then(self.read), ended.promise]).then(() => {
      isLive = true
    })
    ready.catch((error: unknown) => self.close(error))
    return { ready, holders, close: () => self.close(new RealtimeError('CLOSED')) }
  }

  return {
    watch,
    has: (key) => watchesOf(key).length > 0,
    apply: (key, holder) => {
      for (const one of watchesOf(key)) one.apply(key, holder)
    },
    resync: async () => {
      const results = await Promise.allSettled(all().map((one) => one.read()))
      return results.every(({ status }) => status === 'fulfilled')
    },
    close: () => {
      for (const one of all()) one.close(new RealtimeError('CLOSED'))
    },
  }
}
