import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Cluster } from './cluster.ts'
import type { PlannedFault } from './schedule.ts'

/** Does the damage, lets it last, and mends it. Settles when it is mended; does nothing where there is nothing to harm. */
export async function injectFault(cluster: Cluster, { name, forMs, place: index, link: side, only }: PlannedFault): Promise<void> {
  const { redis } = cluster
  const place = cluster.places[index]
  if (place === undefined) return
  const proxy = place[side]
  const open = proxy.connections.filter((connection) => connection.open)
  const link = only === undefined ? proxy : (open[only % open.length] ?? proxy)
  switch (name) {
    case 'kill-instance':
    case 'stop-instance': {
      const { instance } = place
      if (instance === undefined) return
      place.instance = undefined
      await (name === 'kill-instance' ? instance.kill() : Promise.race([instance.stop(), wait(3_000).then(() => instance.kill())]))
      await place.start()
      return
    }
    case 'pause-instance': {
      const { instance } = place
      instance?.pause()
      await wait(forMs)
      instance?.resume()
      return
    }
    case 'kill-redis':
      await redis.kill()
      await wait(forMs)
      if (redis.process.exitCode === null && redis.process.signalCode === null) return
      await redis.restart()
      return
    case 'pause-redis':
      redis.pause()
      await wait(forMs)
      redis.resume()
      return
    case 'kill-pubsub':
      return killClients(cluster, 'pubsub')
    case 'kill-normal':
      return killClients(cluster, 'normal')
    case 'cut':
      link.cut()
      return
    case 'refuse':
      proxy.refuse()
      break
    case 'stall':
      link.stall()
      break
    case 'stall-down':
      link.stall('down')
      break
    case 'lose-replies':
      link.drop('down')
      break
    case 'lose-requests':
      link.drop('up')
      break
    case 'delay':
      link.delay(Math.min(forMs, 100))
      break
  }
  await wait(forMs)
  const mended = name === 'refuse' ? proxy : link
  mended.flow()
}

async function killClients({ redis }: Cluster, type: 'pubsub' | 'normal'): Promise<void> {
  const client = new Redis(redis.port, redis.host, { retryStrategy: null, maxRetriesPerRequest: 0, commandTimeout: 2_000 })
  client.on('error', () => {})
  // Redis may just be away.
  await client.client('KILL', 'TYPE', type, 'SKIPME', 'yes').catch(() => {})
  client.disconnect()
}
