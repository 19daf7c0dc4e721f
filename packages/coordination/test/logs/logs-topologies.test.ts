import { startRedisCluster, startSentinel } from '@tutti/test-kit'
import { logsContract } from '../../src/testing/index.ts'
import { logsAt } from './logs-places.ts'

logsContract('two instances behind Sentinel', async () => {
  const sentinel = await startSentinel()
  return logsAt({ sentinels: sentinel.sentinels, name: sentinel.name }, () => sentinel.stop())
})

logsContract('two instances on a Cluster', async () => {
  const cluster = await startRedisCluster()
  return logsAt({ cluster: cluster.addresses }, () => cluster.stop())
})
