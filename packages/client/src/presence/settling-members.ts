import type { Clock } from '../connection/clock.ts'

/**
 * Members that a page does not contain although they may still be present: their instances write them again after a loss of
 * data. They are shown until they are confirmed, or until the time that the page names has passed.
 */
export interface SettlingMembers {
  readonly size: number
  /** These members are shown without confirmation, for so long. Replaces earlier ones. */
  begin(ids: readonly string[], ms: number): void
  /** The member is present, or has left. */
  confirm(id: string): void
  /** The connection is lost: the next page decides. */
  pause(): void
}

/** Makes an empty set. `onGone` receives the members whose time has passed. */
export function createSettlingMembers(clock: Clock, onGone: (ids: readonly string[]) => void): SettlingMembers {
  let waiting = new Set<string>()
  let pause = (): void => {}
  return {
    get size() {
      return waiting.size
    },
    begin: (ids, ms) => {
      pause()
      waiting = new Set(ids)
      if (ids.length === 0) return
      pause = clock.after(ms, () => {
        const gone = [...waiting]
        waiting.clear()
        onGone(gone)
      })
    },
    confirm: (id) => void waiting.delete(id),
    pause: () => pause(),
  }
}
