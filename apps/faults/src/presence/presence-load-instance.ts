import { seededRandom } from '@tutti/test-kit'
import { serveInstance } from '@tutti/test-kit/instance'
import { openPresenceClient, type PresenceClient, type PresenceClientPlan } from './presence-client.ts'
import type { PresenceHistory } from './presence-history.ts'

// Some of the members, in a process of their own.

let clients: PresenceClient[] = []
let stopped: PresenceClient[] = []
/** What closed clients had recorded. */
let closed: PresenceHistory[] = []

const stopReconnecting = (client: PresenceClient): void => {
  client.stopReconnecting()
  clients = clients.filter((other) => other !== client)
  stopped.push(client)
}

serveInstance(
  {},
  {
    open: (plans: PresenceClientPlan[]) => {
      clients.push(...plans.map(openPresenceClient))
    },
    /** Some clients of these places never connect again after their connection is lost. Returns how many. */
    stopReconnecting: (places: number[], share: number, seed: number) => {
      const random = seededRandom(seed)
      const chosen = clients.filter(({ place }) => place !== undefined && places.includes(place) && random.next() < share)
      chosen.forEach(stopReconnecting)
      return chosen.length
    },
    /** So many clients of these places are closed. */
    closeSome: async (places: number[], count: number) => {
      const chosen = clients.filter(({ place }) => place !== undefined && places.includes(place)).slice(0, count)
      chosen.forEach(stopReconnecting)
      await Promise.all(chosen.map((client) => client.close()))
    },
    views: () => clients.map((client) => client.view()),
    takeHistory: () => {
      const parts = [...closed, ...[...clients, ...stopped].map((client) => client.takeHistory())]
      closed = []
      return parts
    },
    /** Closes the stopped clients. */
    closeStopped: async () => {
      const gone = stopped
      stopped = []
      await Promise.all(gone.map((client) => client.close()))
      closed.push(...gone.map((client) => client.takeHistory()))
    },
    close: async () => {
      await Promise.all([...clients, ...stopped].map((client) => client.close()))
      ;[clients, stopped, closed] = [[], [], []]
    },
  },
)
