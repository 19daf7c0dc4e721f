import { seededRandom } from '@tutti/test-kit'
import { serveInstance } from '@tutti/test-kit/instance'
import { openPresenceClient, type PresenceClient, type PresenceClientPlan } from './presence-client.ts'
import type { PresenceHistory } from './presence-history.ts'

// Some of the members, in a process of their own.

let clients: PresenceClient[] = []
let doomed: PresenceClient[] = []
/** What closed clients had recorded. */
let closed: PresenceHistory[] = []

const doom = (client: PresenceClient): void => {
  client.doom()
  clients = clients.filter((other) => other !== client)
  doomed.push(client)
}

serveInstance(
  {},
  {
    open: (plans: PresenceClientPlan[]) => {
      clients.push(...plans.map(openPresenceClient))
    },
    /** Some clients of these places never connect again after their connection is lost. Returns how many. */
    doom: (places: number[], share: number, seed: number) => {
      const random = seededRandom(seed)
      const chosen = clients.filter(({ place }) => place !== undefined && places.includes(place) && random.next() < share)
      chosen.forEach(doom)
      return chosen.length
    },
    /** So many clients of these places are closed. */
    closeSome: async (places: number[], count: number) => {
      const chosen = clients.filter(({ place }) => place !== undefined && places.includes(place)).slice(0, count)
      chosen.forEach(doom)
      await Promise.all(chosen.map((client) => client.close()))
    },
    views: () => clients.map((client) => client.view()),
    takeHistory: () => {
      const parts = [...closed, ...[...clients, ...doomed].map((client) => client.takeHistory())]
      closed = []
      return parts
    },
    /** Closes the doomed clients. */
    bury: async () => {
      const gone = doomed
      doomed = []
      await Promise.all(gone.map((client) => client.close()))
      closed.push(...gone.map((client) => client.takeHistory()))
    },
    close: async () => {
      await Promise.all([...clients, ...doomed].map((client) => client.close()))
      ;[clients, doomed, closed] = [[], [], []]
    },
  },
)
