import { RealtimePubSub } from '@tutti/pubsub'
import { serveInstance } from '@tutti/test-kit/instance'
import { createRedisCoordination, type MemberIdentity } from '../src/index.ts'

const { url, prefix, ...times } = JSON.parse(process.env['COORDINATION'] ?? '') as { url: string; prefix: string }
const pubsub = new RealtimePubSub({ url, prefix })
const coordination = createRedisCoordination(pubsub.link, { ...times, instanceId: pubsub.instanceId })
await coordination.instance.ready

serveInstance(
  {},
  {
    join: async (room: string, client: MemberIdentity) => (await coordination.members(room).join(client)).id,
    lease: () => coordination.instance.id,
  },
)
