export type { RedisConnectionOptions } from './options.ts'
export type { BreakerState, BytesHandler, RedisLink, RedisScript, ScriptReply, ScriptSource } from './link-contract.ts'
export type { RedisAddress } from './redis-address.ts'
export { redisOptions } from './redis-options.ts'
