/**
 * For other packages of Tutti only: any release may change these exports.
 * @module
 * @internal
 */
export { COLLECTION_DEFAULTS } from './collection/collection-contract.ts'
export type { Connection } from './connection/connection-contract.ts'
export { createRetry, type RetryContext } from './connection/retry.ts'
export type { ClientInternals } from './create-realtime-client.ts'
export { createObservable, type Observable } from './observable.ts'
