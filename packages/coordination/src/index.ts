export type {
  CommandOptions,
  CommandReplies,
  Commands,
  Coordination,
  Cursors,
  InstanceLease,
  Joined,
  LeaseState,
  LockAcquired,
  LockGuard,
  LockGuardOptions,
  LockHolder,
  LockListener,
  LockRequest,
  Locks,
  LocksView,
  LockTarget,
  Member,
  MemberIdentity,
  Handover,
  Members,
  MembersChange,
  MembersView,
  ReceivedCommand,
  ViewListener,
} from './contract.ts'
export type { CoordinationErrorContext, CoordinationOptions, RedisCoordinationOptions } from './coordination-options.ts'
export { createMemoryCoordination, type MemoryCoordinationOptions } from './memory-coordination.ts'
export { createRedisCoordination } from './redis-coordination.ts'
export { createCommandSender, type CommandSender } from './redis/command-sender.ts'
