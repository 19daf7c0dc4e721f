export type {
  EntryPage,
  Mutation,
  MutationAuthor,
  StateChange,
  StateStore,
  StoredEntry,
  StoredPage,
  WriteOptions,
  WriteResult,
} from './contract.ts'
export { reactiveDriver, type ReactiveDriverOptions } from './reactive-driver.ts'
export { reactiveRedisDriver, type ReactiveRedisDriverOptions } from './reactive-redis-driver.ts'
export type { StoreErrorContext, StoreOptions } from './store-options.ts'
export type { ReactiveDriver } from './unstorage-driver.ts'
