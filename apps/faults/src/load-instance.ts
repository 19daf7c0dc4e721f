import { serveInstance } from '@tutti/test-kit/instance'
import { openLoadClient, type LoadClient, type LoadClientPlan } from './load-client.ts'

// Some of the clients, in a separate process.

let clients: LoadClient[] = []

serveInstance(
  {},
  {
    open: async (plans: LoadClientPlan[]) => {
      clients = await Promise.all(plans.map(openLoadClient))
    },
    start: () => clients.forEach((client) => client.start()),
    settle: async (withinMs: number) => (await Promise.all(clients.map((client) => client.settle(withinMs)))).flat(),
    degraded: () => clients.map((client) => client.degraded()),
    shown: () => clients.map((client) => client.shown()),
    history: (place: number) => clients[place]?.history(),
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
      clients = []
    },
  },
)
