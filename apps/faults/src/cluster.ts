import { startRedis, startTcpProxy, type Instance, type TcpProxy, type TestRedis } from '@tutti/test-kit'
import type { PlantedBug } from './planted-bug.ts'
import { startProcess } from './start-process.ts'

const INSTANCE = new URL('./tutti-instance.ts', import.meta.url)

/** One place of the cluster: the process that stands there now, and the proxies before and behind it. */
export interface Place {
  /** Absent while it is down or starts. */
  instance: Instance | undefined
  /** Between clients and instance; keeps its port. */
  readonly front: TcpProxy
  /** Between instance and Redis. */
  readonly back: TcpProxy
  /** Starts a process in the place of one that has gone. */
  start(): Promise<void>
}

/** A Redis that loses nothing it has acknowledged, and instances with proxies around them. */
export interface Cluster {
  readonly redis: TestRedis
  readonly places: readonly Place[]
  close(): Promise<void>
}

/** Starts a cluster of `size` instances, with a bug if one is named. */
export async function startCluster(size: number, bug?: PlantedBug): Promise<Cluster> {
  const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
  const places = await Promise.all(Array.from({ length: size }, () => startPlace(redis, bug)))
  return {
    redis,
    places,
    close: async () => {
      for (const { instance, front, back } of places) await Promise.all([instance?.kill(), front.close(), back.close()])
      await redis.stop()
    },
  }
}

async function startPlace(redis: TestRedis, bug: PlantedBug | undefined): Promise<Place> {
  const back = await startTcpProxy(redis)
  const front = await startTcpProxy({ host: '127.0.0.1', port: 1 })
  const place: Place = {
    instance: undefined,
    front,
    back,
    start: async () => {
      const instance = await startProcess(INSTANCE, bug, { REDIS_PORT: String(back.port) })
      front.retarget({ host: '127.0.0.1', port: Number(instance.ready['port']) })
      place.instance = instance
    },
  }
  await place.start()
  return place
}
