import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { TestRedis } from '@tutti/test-kit'
import type { Cluster } from './cluster.ts'
import type { PlannedFault } from './schedule.ts'

/** Injects a fault, keeps it for its duration, and removes it. Settles afterwards; does nothing without a target. */
export async function injectFault(cluster: Cluster, { name, forMs, place: index, link: side, only }: PlannedFault): Promise<void> {
  const place = cluster.places[index]
  const node = cluster.redis.nodes[index % cluster.redis.nodes.length]
  if (place === undefined || node === undefined) return
  const proxy = side === 'front' ? place.front : cluster.redis.link(index)
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
      await node.kill()
      await wait(forMs)
      if (node.process.exitCode === null && node.process.signalCode === null) return
      await node.restart()
      return
    case 'pause-redis':
      node.pause()
      await wait(forMs)
      node.resume()
      return
    case 'kill-pubsub':
      return killClients(node, 'pubsub')
    case 'kill-normal':
      return killClients(node, 'normal')
    case 'reconfigure':
      // A node may be down; the schedule continues with the next one.
      await cluster.redis.reconfigure(only ?? index).catch(() => {})
      return
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

async function killClients({ port, host }: TestRedis, type: 'pubsub' | 'normal'): Promise<void> {
  const client = new Redis(port, host, { retryStrategy: null, maxRetriesPerRequest: 0, commandTimeout: 2_000 })
  client.on('error', () => {})
  // Redis may be down.
  await client.client('KILL', 'TYPE', type, 'SKIPME', 'yes').catch(() => {})
  client.disconnect()
}
