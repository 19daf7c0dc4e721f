/// <reference lib="dom" />
import { RealtimeError } from '@tutti/protocol'
import type { KeepChanges } from '../kept-changes.ts'
import { fromKept, toKept, withEarlier } from './kept-change.ts'
import { openKeptStore } from './kept-store.ts'

/** Options of `keptQueue`. */
export interface KeptQueueOptions {
  /**
   * Name of the database, default `tutti`. Whoever signs in next must not send what this user left behind: give each user a
   * name of their own.
   */
  name?: string
}

/**
 * The option `keep` of a client: unconfirmed changes are kept in IndexedDB, so that a reload or crash of the page loses none
 * (S14) and repeats none (S12). Each client has a queue of its own and holds a Web Lock as long as its page lives; a queue
 * whose page is gone goes to the first client that connects. Without IndexedDB and Web Locks (old browsers, pages that are
 * not on https or localhost) changes wait in memory alone, and `onError` hears of it (`UNSUPPORTED`).
 */
export const keptQueue =
  ({ name = 'tutti' }: KeptQueueOptions = {}): KeepChanges =>
  ({ clientId, rewrite, onError }) => {
    const lockOf = (client: string): string => `${name}:${client}`
    let closed = false
    let giveBack = (): void => {}

    /** Settles when the lock is held, which says that this client's changes are nobody else's. */
    const begin = async (): Promise<Awaited<ReturnType<typeof openKeptStore>>> => {
      if (typeof indexedDB === 'undefined' || !navigator.locks)
        throw new RealtimeError('UNSUPPORTED', { message: 'Changes can not be kept here.' })
      await new Promise<void>((held, fail) => {
        const life = new Promise<void>((resolve) => (giveBack = resolve))
        const hold = (): Promise<void> => {
          held()
          return life
        }
        navigator.locks.request(lockOf(clientId), hold).catch(fail)
      })
      return openKeptStore(name)
    }
    const store = begin()
    store.catch(onError)

    /** Runs after what was asked before; a failure is told, and costs no change that is in memory. */
    const attempt = async (act: (opened: Awaited<typeof store>) => Promise<void>): Promise<void> => {
      const opened = await store.catch(() => undefined)
      try {
        if (opened) await act(opened)
      } catch (error) {
        onError(error)
      }
    }

    let saved: Promise<unknown> = Promise.resolve()
    let restored = Promise.resolve()
    const restore = (): Promise<void> =>
      (restored = restored.then(() =>
        attempt(async (opened) => {
          for (const client of await opened.clients()) {
            if (client === clientId || closed) continue
            await navigator.locks.request(lockOf(client), { ifAvailable: true }, async (lock) => {
              if (lock === null) return
              for (const [key, changes] of await opened.move(client, clientId)) {
                const earlier = changes.map((change) => fromKept(change, onError))
                rewrite(key, (pending) => withEarlier(pending, earlier))
              }
            })
          }
        }),
      ))
    // Shown at once, also without a network.
    void restore()

    return {
      restore,
      save: (key, pending) => {
        if (closed) return Promise.resolve()
        const changes = toKept(pending, clientId)
        const done = attempt((opened) => opened.put(clientId, key, changes))
        saved = Promise.all([saved, done])
        return done
      },
      close: () => {
        closed = true
        // Not before all is written, or it would come back after another page took it over.
        void saved.then(() => giveBack())
      },
    }
  }
