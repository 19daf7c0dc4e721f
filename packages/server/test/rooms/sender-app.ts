import { defineSchema } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import { serveInstance } from '@tutti/test-kit/instance'
import * as v from 'valibot'
import { createRoomSender, type RoomCalls, type ServerRooms } from '../../src/rooms/index.ts'

// A process without Socket.IO and without an HTTP server.

const pubsub = new RealtimePubSub({ url: process.env['REDIS_URL'] ?? '' })
const sender = createRoomSender(pubsub, { schema: defineSchema({ messages: { counted: v.number() } }) })
await sender.ready

serveInstance(
  {},
  {
    rooms: (call: keyof ServerRooms, ...args: unknown[]) => Reflect.apply(sender.rooms[call], undefined, args) as Promise<unknown>,
    broadcast: (...args: Parameters<RoomCalls['broadcast']>) => sender.broadcast(...args),
    user: (id: string, ...args: Parameters<RoomCalls['broadcast']>) => sender.user(id).send(...args),
    connection: (id: string, ...args: Parameters<RoomCalls['broadcast']>) => sender.connection(id).send(...args),
    close: () => sender.close(),
    resources: () => process.getActiveResourcesInfo().filter((resource) => resource.includes('Server')),
  },
)
