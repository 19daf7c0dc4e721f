import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRedisCoordination } from '@tutti/coordination'
import type { JsonValue } from '@tutti/protocol'
import { RealtimePubSub, type RealtimePubSubOptions } from '@tutti/pubsub'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { serveInstance } from '@tutti/test-kit/instance'
import type { ServerRooms } from '../src/index.ts'
import { attachRealtime } from '../src/http/node/index.ts'
import { createRedisAdapter } from '../src/redis-adapter/index.ts'

// One instance of a cluster: what a deployment runs on each machine, in a process of its own.

const place = process.env['REDIS_PLACE'] ?? JSON.stringify({ url: process.env['REDIS_URL'] ?? '' })
const pubsub = new RealtimePubSub(JSON.parse(place) as RealtimePubSubOptions)
const state = reactiveRedisDriver({ pubsub })
const httpServer = createServer()
const leases = process.env['LEASES']
const realtime = attachRealtime(httpServer, {
  ...(process.env['QUIET'] !== undefined && { onError: () => {} }),
  ...(process.env['ADAPTER'] !== undefined && { socketIo: { adapter: createRedisAdapter(pubsub) } }),
  ...{ state, pubsub, limits: { mutationsPerSecond: 1_000_000, eventsPerSecond: 1_000_000 } },
  coordination:
    leases === undefined
      ? undefined
      : createRedisCoordination(pubsub.link, { instanceId: pubsub.instanceId, ...(JSON.parse(leases) as object) }),
})
httpServer.listen(0, '127.0.0.1')
await once(httpServer, 'listening')
await realtime.ready

const watched: unknown[] = []

serveInstance(
  { url: `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`, instanceId: realtime.instanceId },
  {
    get: (key: string) => realtime.state.get(key),
    set: (key: string, value: JsonValue) => realtime.state.set(key, value),
    keys: (base: string) => state.getKeys(base, {}),
    setItem: (key: string, value: string) => state.setItem?.(key, value, {}),
    publish: (channel: string, data: JsonValue) => realtime.events.publish(channel, data),
    watch: (key: string) => void realtime.state.watch(key, (entry) => watched.push(entry)),
    listen: (pattern: string) => void realtime.events.subscribe(pattern, (event) => watched.push(event)),
    watched: () => watched,
    emit: (name: string, data: JsonValue) => void realtime.io.emit(name, data),
    sockets: async () => (await realtime.io.fetchSockets()).map(({ id }) => id),
    rooms: (call: keyof ServerRooms, ...args: unknown[]) => Reflect.apply(realtime.rooms[call], undefined, args) as Promise<unknown>,
    broadcast: (name: string, data: JsonValue) => realtime.broadcast(name, data),
    members: (room: string) => realtime.presence.members(room),
    memory: () => process.memoryUsage().heapUsed,
    cpu: () => process.cpuUsage(),
  },
)

process.once('SIGTERM', () => {
  void realtime.close().then(() => {
    httpServer.close()
    process.disconnect()
  })
})
