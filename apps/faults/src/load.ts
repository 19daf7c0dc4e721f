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
  return {
    open: async (plans) => {
      await Promise.all(
        children.map((child, n) =>
          child.call(
            'open',
            plans.filter((_, index) => index % children.length === n),
          ),
        ),
      )
    },
    start: async () => void (await all('start')),
    settle: (withinMs) => all<string>('settle', withinMs),
    degraded: () => all<boolean>('degraded'),
    shown: () => all<Record<string, number>>('shown'),
    history: () => all<ClientHistory>('history'),
    close: async () => void (await all('close')),
    end: async () => void (await Promise.all(children.map((child) => child.kill()))),
  }
}
