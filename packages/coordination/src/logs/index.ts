export { createDriverLogs, type LogDriver } from './disk/driver-logs.ts'
export {
  DEATHS_PER_FAILURE,
  MAX_FAILURES,
  type Backlog,
  type DeadLetter,
  type DeadLetters,
  type FailureOutcome,
  type LogGroup,
  type Taken,
  type TakenRecord,
  type TakeOptions,
} from './group-contract.ts'
export {
  PAGE_BYTES,
  PAGE_RECORDS,
  type AppendNotice,
  type Appended,
  type LogHistory,
  type LogPage,
  type LogPosition,
  type LogRecord,
  type Logs,
  type LogSubscription,
  type NewRecord,
} from './log-contract.ts'
export type { LogErrorContext, LogLimits, LogOptions } from './log-options.ts'
export { createMemoryLogs } from './memory/memory-logs.ts'
export { createRedisLogs, type RedisLogOptions } from './redis/redis-logs.ts'
export { createWorkers, type Workers } from './workers/create-workers.ts'
export type { WorkerContext, WorkerHandler, WorkerRecord } from './workers/run-record.ts'
export type { WorkerOptions } from './workers/worker-options.ts'
