/// <reference lib="dom" />
import { RealtimeError } from '@tutti/protocol'
import type { OfflineQueueContext } from '../state/pending-change-store.ts'
import { openChangeDatabase, type ChangeDatabase } from './change-database.ts'

/**
 * The store, each step of which may fail or never end. A step that takes too long is not abandoned, because it may still take
 * effect: only the wait for it is limited, and the next access opens the database again.
 */
export interface DatabaseAccess {
  /** Something failed or took too long, and was reported; `false` again once all is stored, so that the next failure is reported. */
  failing: boolean
  /** Runs something on the store under this client's lock, once more on another connection where it fails. */
  run(act: (store: ChangeDatabase) => Promise<void>): Promise<void>
  /** Settles with the work, or at the end of the time. Never rejects. */
  inTime(work: Promise<void>): Promise<void>
  /** Returns the lock and closes the database. */
  release(): void
}

/**
 * Makes the access of one client to the database of this name; nothing is opened before the first `run`. `onChange`: the
 * database was opened again or closed by the browser, so stored changes may be gone.
 */
export function createDatabaseAccess(
  { clientId, clock, onError }: OfflineQueueContext,
  name: string,
  timeoutMs: number,
  onChange: () => void,
): DatabaseAccess {
  let returnLock = (): void => {}
  const life = new Promise<void>((resolve) => (returnLock = resolve))
  let isHeld = false
  /** The current database, open or being opened. */
  let opened: Promise<ChangeDatabase> | undefined

  const lock = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const hold = (): Promise<void> => {
        isHeld = true
        resolve()
        return life
      }
      navigator.locks.request(lockOf(name, clientId), hold).catch(reject)
    })

  const begin = async (): Promise<ChangeDatabase> => {
    if (!isHeld) await lock()
    const store = await openChangeDatabase(name, onChange)
    onChange()
    return store
  }

  /**
   * The next access opens the database again. A database that opens too late is closed, and the accesses that waited for it try
   * again.
   */
  const forget = (old: typeof opened): void => {
    if (opened === old) opened = undefined
    old?.then(
      (store) => store.close(),
      () => {},
    )
  }

  const fail = (cause: unknown): void => {
    if (access.failing) return
    access.failing = true
    onError(new RealtimeError('UNAVAILABLE', { cause, message: `${IN_MEMORY} ${String(cause)}` }))
  }

  const access: DatabaseAccess = {
    failing: false,
    run: (act) => {
      const attempt = (): Promise<void> => {
        const mine = (opened ??= begin())
        return mine.then(act).catch((error: unknown) => {
          forget(mine)
          throw error
        })
      }
      return attempt().catch(attempt)
    },
    inTime: (work) =>
      new Promise((resolve) => {
        const cancel = clock.after(timeoutMs, () => {
          forget(opened)
          fail(new Error(`no reply within ${timeoutMs} ms (timeoutMs)`))
          resolve()
        })
        void work.catch(fail).finally(cancel).then(resolve)
      }),
    release: () => {
      returnLock()
      forget(opened)
    },
  }
  return access
}

/** Name of the Web Lock that reserves a client's changes for its page. */
export const lockOf = (name: string, clientId: string): string => `${name}:${clientId}`

/** Begins each message. */
export const IN_MEMORY = 'Changes are kept in memory:'
