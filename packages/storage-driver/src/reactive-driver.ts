import { callback, ignoreRejection, parseOptions, safeErrorListener, type OptionRows } from '@tutti/protocol'
import type { Driver } from 'unstorage'
import { createLocalStore } from './local/local-store.ts'
import { STORE_OPTIONS, type StoreOptions } from './store-options.ts'
import { unstorageDriver, type ReactiveDriver } from './unstorage-driver.ts'

/** Options of `reactiveDriver`. */
export interface ReactiveDriverOptions extends StoreOptions {
  /** The clock of versions and deadlines, milliseconds since 1970; default `Date.now`. */
  now?: (() => number) | undefined
}

const OPTIONS = { ...STORE_OPTIONS, now: callback(() => Date.now()) } satisfies OptionRows<ReactiveDriverOptions>

/**
 * Makes any unstorage driver that can write a `StateStore` of one process, with every rule that one process can give:
 * versions, conditions, mutations that take effect once, changes told in order. Beside each value it keeps a record under
 * `<key>$state`. The driver given stays the caller's to dispose. Throws `INVALID_OPTIONS`.
 */
export function reactiveDriver(driver: Driver, options: ReactiveDriverOptions = {}): ReactiveDriver {
  const { now, ...settings } = parseOptions('reactiveDriver', OPTIONS, options)
  const onError = safeErrorListener(settings.onError)
  return unstorageDriver('tutti', createLocalStore({ driver, settings: { ...settings, onError }, now: checkedClock(now) }))
}

/** A clock that throws for what is no time: it would compare as false with every other. */
const checkedClock = (now: () => unknown) => (): number => {
  const time = now()
  if (typeof time === 'number' && Number.isFinite(time)) return time
  ignoreRejection(time)
  throw new TypeError('`now` must return a number: milliseconds since 1970.')
}
