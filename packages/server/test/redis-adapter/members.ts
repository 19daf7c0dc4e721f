import { RealtimePubSub, type RealtimePubSubOptions } from '@tutti/pubsub'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import type { Socket } from 'socket.io'
import { onTestFinished } from 'vitest'
import { createRedisAdapter, type RedisAdapterOptions } from '../../src/redis-adapter/index.ts'
import { connectPlain, serve, type PlainClient, type Served } from '../serve.ts'

/** One instance whose Socket.IO server has the adapter. */
export interface Member extends Pick<Served, 'url' | 'realtime'> {
  readonly pubsub: RealtimePubSub
  readonly io: Served['realtime']['io']
}

/** Both ends of a connection. */
export interface Ends {
  readonly client: PlainClient
  readonly socket: Socket
  readonly id: string
}

/** An instance for one test, with its reported errors. */
export async function serveMember(
  options: RealtimePubSubOptions,
  adapter: RedisAdapterOptions = {},
): Promise<Member & { errors: unknown[] }> {
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const pubsub = new RealtimePubSub({ onError: () => {}, ...options })
  const served = await serve({
    ...{ pubsub, state: reactiveRedisDriver({ pubsub }), onError },
    socketIo: { adapter: createRedisAdapter(pubsub, { onError, ...adapter }) },
  })
  onTestFinished(() => served.close())
  return { ...served, pubsub, io: served.realtime.io, errors }
}

/** Instances of one cluster, each with one client. */
export async function serveMembers(count: number, options: RealtimePubSubOptions, adapter?: RedisAdapterOptions) {
  const members = await Promise.all(Array.from({ length: count }, () => serveMember(options, adapter)))
  const ends = await Promise.all(members.map((member) => connectTo(member)))
  return { members, ends, servers: members.map(({ io }) => io) }
}

/** Connects a client, and finds the other end of its connection. */
export async function connectTo({ url, io }: Member): Promise<Ends> {
  const client = await connectPlain(url)
  onTestFinished(() => void client.socket.disconnect())
  const id = client.socket.id ?? ''
  const socket = io.sockets.sockets.get(id)
  if (socket === undefined) throw new Error('not connected')
  return { client, socket, id }
}
