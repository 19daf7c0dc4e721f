import type { Driver } from 'unstorage'
import { createLocalStore } from './local/local-store.ts'
import { storeSettings, type StoreOptions } from './store-options.ts'
import { unstorageDriver, type ReactiveDriver } from './unstorage-driver.ts'

/** Options of `reactiveDriver`. */
export interface ReactiveDriverOptions extends StoreOptions {
  /** The clock of versions and deadlines, milliseconds since 1970; default `Date.now`. */
  now?: (() => number) | undefined
}

/**
 * Makes any unstorage driver that can write a `StateStore` of one process, with every rule that one process can give:
 * versions, conditions, mutations that take effect once, changes told in order. Beside each value it keeps a record under
 * `<key>$state`. The driver given stays the caller's to dispose. Throws `INVALID_OPTIONS`.
 */
export const reactiveDriver = (driver: Driver, { now = Date.now, ...options }: ReactiveDriverOptions = {}): ReactiveDriver =>
  unstorageDriver('tutti', createLocalStore({ driver, settings: storeSettings(options), now }))
