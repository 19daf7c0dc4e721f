import { startTcpProxy, type Instance, type TcpProxy } from '@tutti/test-kit'
import type { PlantedBug } from './planted-bug.ts'
import { startTopology, type RedisTopology, type TopologyName, type TopologyOptions } from './redis-topology.ts'
import { startProcess } from './start-process.ts'

const INSTANCE = new URL('./tutti-instance.ts', import.meta.url)

/** One place of the cluster: the process that runs there now, and the proxy before it. */
export interface Place {
  /** Absent while it is down or starts. */
  instance: Instance | undefined
  /** Between clients and instance; keeps its port. */
  readonly front: TcpProxy
  /** Starts a process in the place of one that has gone. */
  start(): Promise<void>
}

/** A Redis that loses nothing it has acknowledged, and instances with proxies around them. */
export interface Cluster {
  readonly redis: RedisTopology
  readonly places: readonly Place[]
  close(): Promise<void>
}

/** How a cluster is started. */
export interface ClusterOptions {
  /** Default: `standalone`. */
  topology?: TopologyName | undefined
  /** A bug in the sources of the instances. Default: none. */
  bug?: PlantedBug | undefined
  /** Added to the environment of the instances. */
  env?: Record<string, string> | undefined
  /** How Redis is started. */
  redis?: TopologyOptions | undefined
}

/** Starts a cluster of `size` instances. */
export async function startCluster(size: number, options: ClusterOptions = {}): Promise<Cluster> {
  const redis = await startTopology(options.topology ?? 'standalone', size, options.redis)
  const places = await Promise.all(Array.from({ length: size }, (_, index) => startPlace(redis.connection(index), options)))
  return {
    redis,
    places,
    close: async () => {
      for (const { instance, front } of places) await Promise.all([instance?.kill(), front.close()])
      await redis.stop()
    },
  }
}

async function startPlace(connection: Record<string, unknown>, { bug, env }: ClusterOptions): Promise<Place> {
  const front = await startTcpProxy({ host: '127.0.0.1', port: 1 })
  const place: Place = {
    instance: undefined,
    front,
    start: async () => {
      const instance = await startProcess(INSTANCE, bug, { ...env, REDIS: JSON.stringify(connection) })
      front.retarget({ host: '127.0.0.1', port: Number(instance.ready['port']) })
      place.instance = instance
    },
  }
  await place.start()
  return place
}
