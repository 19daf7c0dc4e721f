import type { ClientHistory } from './client-history.ts'
import type { LoadClientPlan } from './load-client.ts'
import type { PlantedBug } from './planted-bug.ts'
import { startProcess } from './start-process.ts'

const SCRIPT = new URL('./load-instance.ts', import.meta.url)

/** The clients of a run, in several processes, from schedule to schedule. */
export interface Load {
  open(plans: LoadClientPlan[]): Promise<void>
  start(): Promise<void>
  settle(withinMs: number): Promise<string[]>
  degraded(): Promise<boolean[]>
  shown(): Promise<Record<string, number>[]>
  history(): Promise<ClientHistory[]>
  /** Closes the clients; the processes stay. */
  close(): Promise<void>
  end(): Promise<void>
}

/** Starts the processes, optionally with a bug. Their results are those of `load-instance.ts`. */
export async function startLoad(processes: number, bug?: PlantedBug): Promise<Load> {
  const children = await Promise.all(Array.from({ length: processes }, () => startProcess(SCRIPT, bug)))
  const all = async <Part>(name: string, ...args: unknown[]): Promise<Part[]> => {
    const parts = await Promise.all(children.map((child) => child.call(name, ...args)))
    return parts.flat() as Part[]
  }
  /** The clients in each process. */
  let counts: readonly number[] = []
  return {
    open: async (plans) => {
      const shares = children.map((_child, n) => plans.filter((_plan, index) => index % children.length === n))
      counts = shares.map(({ length }) => length)
      await Promise.all(children.map((child, n) => child.call('open', shares[n])))
    },
    start: async () => void (await all('start')),
    settle: (withinMs) => all<string>('settle', withinMs),
    degraded: () => all<boolean>('degraded'),
    shown: () => all<Record<string, number>>('shown'),
    history: async () => {
      const histories: unknown[] = []
      // One by one: those of all clients can be longer than a string may be.
      for (const [n, child] of children.entries())
        for (let place = 0; place < (counts[n] ?? 0); place += 1) histories.push(await child.call('history', place))
      return histories as ClientHistory[]
    },
    close: async () => void (await all('close')),
    end: async () => void (await Promise.all(children.map((child) => child.kill()))),
  }
}
