import { serveInstance } from '@tutti/test-kit/instance'
import type { ConnectBenchClient } from './bench-client.ts'
import { connectRelayClient } from './control/relay-client.ts'
import { createLoadGenerator, type LoadGenerator } from './load-generator.ts'
import type { LoadPhase, LoadPlan } from './load-plan.ts'
import { connectTuttiClient } from './tutti/tutti-client.ts'

// The clients, in a process of their own: one clock for both ends of a write, and no work of theirs in a server's CPU.

const clients: Record<string, ConnectBenchClient> = { tutti: connectTuttiClient, control: connectRelayClient }
let generator: LoadGenerator | undefined

serveInstance(
  {},
  {
    connect: async (side: string, urls: string[], plan: LoadPlan) => {
      const connect = clients[side]
      if (connect === undefined) throw new Error(`There is no side ${side}.`)
      generator = await createLoadGenerator(connect, urls, plan)
    },
    run: (phase: LoadPhase) => generator?.run(phase),
    close: () => generator?.close(),
  },
)
