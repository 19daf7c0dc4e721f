import type { Cluster } from './cluster.ts'

/** Repairs remaining effects of overlapping faults. */
export async function healCluster({ redis, places }: Cluster): Promise<void> {
  await redis.heal()
  for (const place of places) {
    place.instance?.resume()
    place.front.flow()
    if (place.instance === undefined) await place.start()
  }
}
