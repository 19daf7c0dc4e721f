import type { Coordination, LocksView, LockTarget } from '@tutti/coordination/contract'
import type { LockPage } from '@tutti/protocol'
import { checkSubscribed } from '../authorization/revocations.ts'
import type { Connection } from '../connection/connection.ts'
import { PlacedReply } from '../connection/handler.ts'
import { watchedLock, watchedLockOf } from '../connection/subscription-names.ts'
import type { Core } from '../feature.ts'
import { toWireHolder } from './wire-holder.ts'

/** The locks that connections of this instance follow. Others cost nothing. */
export interface LockWatchers {
  /** Throws `TOO_MANY_SUBSCRIPTIONS`, and `INVALID_KEY` for a prefix that names no whole room. */
  subscribe(connection: Connection, target: LockTarget): PlacedReply<LockPage>
  unsubscribe(connection: Connection, target: LockTarget): void
  /** The connection is closed. */
  leaveAll(connection: Connection): void
  close(): void
}

interface Watched {
  readonly view: LocksView
  /** Subscriptions whose reply was not sent yet. */
  waiting: number
}

/** Makes the watchers of one instance. */
export function createLockWatchers({ fanOut }: Pick<Core, 'fanOut'>, { locks }: Pick<Coordination, 'locks'>): LockWatchers {
  const byName = new Map<string, Watched>()

  const collect = (name: string): void => {
    const watched = byName.get(name)
    if (watched === undefined || watched.waiting > 0 || fanOut.hasReceivers(name)) return
    byName.delete(name)
    watched.view.close()
  }
  const open = (name: string, target: LockTarget): Watched => {
    const known = byName.get(name)
    if (known !== undefined) return known
    const view = locks.watch(target, (key, holder) => {
      fanOut.emit([name], 'lock:changed', holder === undefined ? { key } : { key, holder: toWireHolder(holder) })
    })
    const watched = { view, waiting: 0 }
    byName.set(name, watched)
    view.ready.catch(() => {
      if (byName.get(name) === watched) byName.delete(name)
    })
    return watched
  }
  const pageOf = ({ view }: Watched): LockPage['locks'] => [...view.holders].map(([key, holder]) => ({ key, holder: toWireHolder(holder) }))

  return {
    subscribe: (connection, target) => {
      const name = watchedLock(target)
      const watched = open(name, target)
      let isReady = false
      try {
        connection.subscriptions.add([name])
      } catch (error) {
        collect(name)
        throw error
      }
      watched.waiting += 1
      const read = async (): Promise<LockPage> => {
        await watched.view.ready
        isReady = true
        return { locks: pageOf(watched) }
      }
      return new PlacedReply(read(), {
        before: () => {
          if (isReady) checkSubscribed(connection, name)
        },
        after: () => {
          watched.waiting -= 1
          // It may have unsubscribed meanwhile, or its right may have ended.
          if (isReady && connection.connected && connection.subscriptions.has(name)) connection.join(name)
          else if (!isReady) connection.subscriptions.delete(name)
          collect(name)
        },
      })
    },
    unsubscribe: (connection, target) => {
      const name = watchedLock(target)
      connection.leave(name)
      connection.subscriptions.delete(name)
      collect(name)
    },
    leaveAll: ({ subscriptions }) => {
      for (const name of subscriptions.all) if (watchedLockOf(name) !== undefined) collect(name)
    },
    close: () => {
      for (const { view } of byName.values()) view.close()
      byName.clear()
    },
  }
}
