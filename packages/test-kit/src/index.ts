export { collectFatalErrors, type FatalErrors } from './fatal-errors.ts'
export { countItems } from './count-items.ts'
export { MemoryEngine, MemoryLink, type MemoryLinkListener } from './memory-engine.ts'
export { eventually } from './eventually.ts'
export { fillFolder } from './fill-folder.ts'
export { fillPglite } from './fill-pglite.ts'
export { startExample, type Example, type ExampleOptions } from './example.ts'
export { monitorRedis, type MonitoredCommand, type RedisMonitor } from './monitor-redis.ts'
export { spawnInstance, type Instance } from './instance.ts'
export { freePort } from './free-port.ts'
export { makeCertificate, startNginx, type TestCertificate, type TestNginx } from './nginx.ts'
export { startPostgres, type TestPostgres } from './postgres.ts'
export { sendToRedis, type RedisReply } from './redis-reply.ts'
export { startRedisCluster, type TestRedisCluster, type TestRedisClusterOptions } from './redis-cluster.ts'
export { startSentinel, type TestRedisSentinel, type TestRedisSentinelOptions } from './redis-sentinel.ts'
export { documentedAcl, type DocumentedAcl } from './documented-acl.ts'
export { startRedis, type TestRedis, type TestRedisOptions } from './redis.ts'
export { startTcpProxy, type ProxiedConnection, type TcpProxy } from './tcp-proxy.ts'
export type { Direction, LinkFaults } from './proxied-link.ts'
export { seededRandom, type SeededRandom } from './seeded-random.ts'
export { checkCounters } from './history/check-counters.ts'
export { checkHistory } from './history/check-history.ts'
export {
  HISTORY_RULES,
  type Content,
  type Effect,
  type FinalEntry,
  type History,
  type HistoryRule,
  type Json,
  type Observation,
  type Operation,
  type Violation,
} from './history/history.ts'
export { untilListening } from './until-listening.ts'
