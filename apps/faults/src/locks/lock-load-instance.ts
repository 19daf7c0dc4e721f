import { room } from '@tutti/client/room'
import { eventually, seededRandom } from '@tutti/test-kit'
import { serveInstance } from '@tutti/test-kit/instance'
import { openLockClient, type LockClient, type LockClientPlan } from './lock-client.ts'
import type { LockHistory } from './lock-history.ts'
import type { JoinedRoom, RoomOutcome } from './probe-rooms.ts'

// Some of the clients, in a process of their own.

let clients: LockClient[] = []
let stopped: LockClient[] = []
let closed: LockHistory[] = []
const probes = new Map<string, { outcome: RoomOutcome; end(): void }>()
const JOIN_MS = 2_000

serveInstance(
  {},
  {
    open: (plans: LockClientPlan[]) => {
      clients.push(...plans.map(openLockClient))
    },
    work: () => {
      for (const client of clients) client.work()
    },
    rest: async () => {
      await Promise.all(clients.map((client) => client.rest()))
    },
    /** Some clients of the place that have a lock never connect again after their connection is lost. Returns how many. */
    stopReconnecting: (place: number, share: number, seed: number) => {
      const random = seededRandom(seed)
      const chosen = clients.filter((client) => client.place === place && client.bindings().length > 0 && random.next() < share)
      for (const client of chosen) client.stopReconnecting()
      clients = clients.filter((client) => !chosen.includes(client))
      stopped.push(...chosen)
      return chosen.length
    },
    /** Closes the clients that never connect again. */
    closeStopped: async () => {
      const gone = stopped
      stopped = []
      await Promise.all(gone.map((client) => client.close()))
      closed.push(...gone.map((client) => client.takeHistory()))
    },
    count: () => clients.length,
    /** The place of each connected client. */
    places: () => clients.flatMap(({ place }) => place ?? []),
    bindings: () => clients.flatMap((client) => client.bindings()),
    takeHistory: () => {
      const parts = [...closed, ...[...clients, ...stopped].map((client) => client.takeHistory())]
      closed = []
      return parts
    },
    /** A client joins the room. Returns its instance, or null if it has none in time. */
    join: async (name: string, seed: number): Promise<JoinedRoom | null> => {
      const { client, place } = seededRandom(seed).pick(clients)
      const joined = room(client, name)
      const outcome: RoomOutcome = { receivedMs: null, wasDown: false }
      const stops = [
        joined.messages.subscribe('probe', () => {
          outcome.receivedMs ??= Date.now()
        }),
        client.connection.subscribe(({ status }) => {
          outcome.wasDown ||= status !== 'connected'
        }),
      ]
      const end = (): void => {
        for (const stop of stops) stop()
        joined.dispose()
      }
      const isJoined = await eventually(
        () => {
          if (!joined.current.joined) throw new Error('The room is not joined yet.')
          return true
        },
        { timeoutMs: JOIN_MS },
      ).catch(() => false)
      const { instance } = client.connection.current
      if (!isJoined || place === undefined || instance === undefined || instance === null) {
        end()
        return null
      }
      outcome.wasDown = false
      probes.set(name, { outcome, end })
      return { instance, place }
    },
    /** What the client of the room received. */
    outcome: (name: string): RoomOutcome => probes.get(name)?.outcome ?? { receivedMs: null, wasDown: true },
    leave: (name: string) => {
      probes.get(name)?.end()
      probes.delete(name)
    },
    close: async () => {
      await Promise.all([...clients, ...stopped].map((client) => client.close()))
      ;[clients, stopped, closed] = [[], [], []]
    },
  },
)
