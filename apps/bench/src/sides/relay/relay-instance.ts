import { once } from 'node:events'
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { WebSocketServer, type WebSocket } from 'ws'
import { serveSide } from '../serve-side.ts'
import type { RelayNotice, RelayRequest } from './relay-message.ts'

// The relay: the least that does the same job without failures. It checks no message and repairs nothing. Its script is the
// smallest one that keeps values, versions and notices in one order.

const WRITE = `
redis.call('SET', KEYS[1], ARGV[2])
local version = redis.call('INCR', KEYS[2])
redis.call('PUBLISH', 'relay', '{"key":' .. ARGV[1] .. ',"version":' .. version .. ',"value":' .. ARGV[2] .. '}')
return version`

await serveSide(async () => {
  const redisUrl = process.env['REDIS_URL'] ?? ''
  const [pub, sub] = [new Redis(redisUrl), new Redis(redisUrl)]
  // A SUBSCRIBE during ioredis' ready check can break the connection, and then nothing is delivered.
  await Promise.all([once(pub, 'ready'), once(sub, 'ready')])
  const sha = String(await pub.script('LOAD', WRITE))

  const write = async (key: string, value: unknown): Promise<number> =>
    Number(await pub.evalsha(sha, 2, `relay:${key}`, `relay:${key}:version`, JSON.stringify(key), JSON.stringify(value)))

  const read = async (keys: readonly string[]): Promise<unknown[]> => {
    const texts = await pub.mget(keys.map((key) => `relay:${key}`))
    return texts.map((text): unknown => (text === null ? null : JSON.parse(text)))
  }

  const subscribers = new Map<string, Set<WebSocket>>()

  await sub.subscribe('relay')
  sub.on('message', (_channel: string, text: string) => {
    const { key }: { key: string } = JSON.parse(text)
    for (const socket of subscribers.get(key) ?? []) socket.send(text)
  })

  const httpServer = createServer()
  const webSockets = new WebSocketServer({ server: httpServer })
  webSockets.on('connection', (socket) => {
    const send = (notice: RelayNotice): void => socket.send(JSON.stringify(notice))
    const answer = async (request: RelayRequest): Promise<void> => {
      if ('key' in request) return send({ id: request.id, version: await write(request.key, request.value) })
      for (const key of request.subscribe) {
        const sockets = subscribers.get(key) ?? new Set()
        subscribers.set(key, sockets.add(socket))
      }
      send({ id: request.id, values: await read(request.subscribe) })
    }
    socket.on('message', (data: Buffer) => void answer(JSON.parse(data.toString())))
    // A connection that is cut is reset: `close` follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const sockets of subscribers.values()) sockets.delete(socket)
    })
  })
  return { httpServer }
})
