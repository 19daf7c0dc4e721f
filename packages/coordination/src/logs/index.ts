export { createDriverLogs, type LogDriver } from './disk/driver-logs.ts'
export type { Backlog, DeadLetter, DeadLetters, FailureOutcome, LogGroup, Taken, TakenRecord, TakeOptions } from './group-contract.ts'
export type {
  AppendNotice,
  Appended,
  LogHistory,
  LogPage,
  LogPosition,
  LogRecord,
  Logs,
  LogSubscription,
  NewRecord,
} from './log-contract.ts'
export type { LogErrorContext, LogLimits, LogOptions } from './log-options.ts'
export { createMemoryLogs } from './memory/memory-logs.ts'
export { createRedisLogs, type RedisLogOptions } from './redis/redis-logs.ts'
export { createWorkers, type Workers } from './workers/create-workers.ts'
export type { WorkerContext, WorkerHandler, WorkerRecord } from './workers/run-record.ts'
export type { WorkerOptions } from './workers/worker-options.ts'
