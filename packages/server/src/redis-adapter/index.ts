export { createRedisAdapter, type RedisAdapterOptions } from './create-redis-adapter.ts'
