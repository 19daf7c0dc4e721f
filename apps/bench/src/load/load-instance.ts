import { serveInstance } from '@tutti/test-kit/instance'
import { createProfiler } from '../measure/profiler.ts'
import { CLIENTS, type ClientName } from '../sides/clients.ts'
import { createClientLoad } from './client-load.ts'
import { createConnectLoad } from './connect-load.ts'
import { createFanOutLoad } from './fan-out-load.ts'
import { createFieldLoad } from './field-load.ts'
import type { Load, LoadContext } from './load.ts'
import { createPresenceLoad } from './presence-load.ts'
import { createRepairLoad } from './repair-load.ts'
import { createWriteLoad } from './write-load.ts'

// All clients of a side, in a process of their own: one clock for both ends of a write, and no work of theirs in a server's CPU.

const LOADS: Record<string, (context: LoadContext, plan: never) => Load | Promise<Load>> = {
  client: createClientLoad,
  connect: createConnectLoad,
  fanOut: createFanOutLoad,
  field: createFieldLoad,
  presence: createPresenceLoad,
  repair: createRepairLoad,
  write: createWriteLoad,
}

let load: Load | undefined

const current = (): Load => {
  if (load === undefined) throw new Error('No load is open.')
  return load
}

serveInstance(
  {},
  {
    open: async (name: string, client: ClientName, urls: string[], plan: never) => {
      const create = LOADS[name]
      if (create === undefined) throw new Error(`There is no load ${name}.`)
      load = await create({ connect: CLIENTS[client], urls }, plan)
    },
    step: (name: string, ...args: never[]) => {
      const step = current().steps[name]
      if (step === undefined) throw new Error(`The load has no step ${name}.`)
      return step(...args)
    },
    deliveries: () => current().deliveries,
    close: () => load?.close(),
    cpu: () => process.cpuUsage(),
    ...createProfiler(),
  },
)
process.once('SIGTERM', () => process.exit(0))
