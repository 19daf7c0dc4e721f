import { once } from 'node:events'
import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import { serveSide } from '../serve-side.ts'

// Socket.IO with its Redis adapter, the usual way to share values among instances: SET, emit to the room of the key,
// acknowledge. Values have no versions, and nothing is checked or repaired.

type Acknowledge = (reply: object) => void

await serveSide(async () => {
  const redisUrl = process.env['REDIS_URL'] ?? ''
  const [pub, sub] = [new Redis(redisUrl), new Redis(redisUrl)]
  await Promise.all([once(pub, 'ready'), once(sub, 'ready')])

  const httpServer = createServer()
  const io = new Server(httpServer, { adapter: createAdapter(pub, sub), serveClient: false })

  io.on('connection', (socket) => {
    socket.on('subscribe', async ({ keys }: { keys: string[] }, acknowledge: Acknowledge) => {
      await socket.join(keys)
      const texts = await pub.mget(keys)
      acknowledge({ ok: true, values: texts.map((text): unknown => (text === null ? null : JSON.parse(text))) })
    })
    socket.on('set', async ({ key, value }: { key: string; value: unknown }, acknowledge: Acknowledge) => {
      await pub.set(key, JSON.stringify(value))
      io.to(key).emit('updated', { key, value })
      acknowledge({ ok: true })
    })
    socket.on('cursor', ({ room, data }: { room: string; data: unknown }) => void io.to(room).emit('cursor', data))
  })
  return { httpServer }
})
