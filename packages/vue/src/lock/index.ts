export type { AcquireOptions, LockHolder } from '@tutti/client/lock'
export { useRealtimeLock, type UseRealtimeLockOptions, type UseRealtimeLockReturn } from './use-realtime-lock.ts'
export { useRealtimeLocks, type UseRealtimeLocksReturn } from './use-realtime-locks.ts'
