import { startProcess } from '../start-process.ts'
import type { PresenceClientPlan } from './presence-client.ts'
import type { PresenceHistory, PresenceView } from './presence-history.ts'

const SCRIPT = new URL('./presence-load-instance.ts', import.meta.url)

/** The members of a run, in several processes. */
export interface PresenceLoad {
  open(plans: readonly PresenceClientPlan[]): Promise<void>
  /** A share of the clients of these places never connects again. Returns how many. */
  stopReconnecting(places: readonly number[], share: number, seed: number): Promise<number>
  /** So many clients of these places are closed, in each process. */
  closeSome(places: readonly number[], count: number): Promise<void>
  views(): Promise<PresenceView[]>
  takeHistory(): Promise<PresenceHistory>
  /** Closes the clients that never connect again. */
  closeStopped(): Promise<void>
  end(): Promise<void>
}

/** Starts the processes. */
export async function startPresenceLoad(processes: number): Promise<PresenceLoad> {
  const children = await Promise.all(Array.from({ length: processes }, () => startProcess(SCRIPT, undefined)))
  const all = async <Part>(name: string, ...args: unknown[]): Promise<Part[]> => {
    const parts = await Promise.all(children.map((child) => child.call(name, ...args)))
    return parts.flat() as Part[]
  }
  return {
    open: async (plans) => {
      const partOf = (part: number) => plans.filter((_, index) => index % children.length === part)
      await Promise.all(children.map((child, part) => child.call('open', partOf(part))))
    },
    stopReconnecting: async (places, share, seed) =>
      (await all<number>('stopReconnecting', places, share, seed)).reduce((sum, count) => sum + count, 0),
    closeSome: async (places, count) => void (await all('closeSome', places, count)),
    views: () => all<PresenceView>('views'),
    takeHistory: async () => {
      const parts = await all<PresenceHistory>('takeHistory')
      return { memberships: parts.flatMap((part) => part.memberships), leaves: parts.flatMap((part) => part.leaves) }
    },
    closeStopped: async () => void (await all('closeStopped')),
    end: async () => {
      await all('close')
      await Promise.all(children.map((child) => child.kill()))
    },
  }
}
