export type {
  Coordination,
  Cursors,
  InstanceLease,
  Joined,
  LeaseState,
  Member,
  MemberIdentity,
  Members,
  MembersChange,
  MembersView,
  ViewListener,
} from './contract.ts'
export type { CoordinationErrorContext, CoordinationOptions, RedisCoordinationOptions } from './coordination-options.ts'
export { createMemoryCoordination, type MemoryCoordinationOptions } from './memory-coordination.ts'
export { createRedisCoordination } from './redis-coordination.ts'
