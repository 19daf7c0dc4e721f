import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { eventually } from '@tutti/test-kit'
import { startCluster, type Cluster } from '../cluster.ts'
import type { LockRunOptions } from './lock-run.ts'

/** Two instances, and clients of each in this process. */
export interface LockContest {
  readonly cluster: Cluster
  /** Connects a client to the instance of this place. */
  connect(place: number): Promise<RealtimeClient>
}

const INSTANCES = 2

/** Runs `task` with two instances, and closes all afterwards. */
export async function withContest<Result>(
  { topology, bug, times }: Pick<LockRunOptions, 'topology' | 'bug' | 'times'>,
  task: (contest: LockContest) => Promise<Result>,
): Promise<Result> {
  const cluster = await startCluster(INSTANCES, { topology, bug, env: { LEASE_TIMES: JSON.stringify(times) } })
  const clients: RealtimeClient[] = []
  const connect = async (index: number): Promise<RealtimeClient> => {
    const place = cluster.places[index % INSTANCES]
    if (place === undefined) throw new Error('There is no instance.')
    const client = createRealtimeClient({ url: `http://127.0.0.1:${place.front.port}` })
    clients.push(client)
    await eventually(() => {
      if (client.connection.current.status !== 'connected') throw new Error('The client is not connected yet.')
    })
    return client
  }
  try {
    return await task({ cluster, connect })
  } finally {
    await Promise.all(clients.map((client) => client.close()))
    await cluster.close()
  }
}
