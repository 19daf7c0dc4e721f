import { callback, ignoreRejection, parseOptions, safeErrorListener, type OptionRows } from '@tutti/protocol/internal'
import type { Driver } from 'unstorage'
import { createLocalStore } from './local/local-store.ts'
import { STORE_OPTIONS, type StoreOptions } from './store-options.ts'
import { unstorageDriver, type ReactiveDriver } from './unstorage-driver.ts'

/** Options of `reactiveDriver`. */
export interface ReactiveDriverOptions extends StoreOptions {
  /**
   * The clock of versions and deadlines, milliseconds since 1970.
   *
   * @default Date.now
   */
  now?: (() => number) | undefined
}

const OPTIONS = { ...STORE_OPTIONS, now: callback(() => Date.now()) } satisfies OptionRows<ReactiveDriverOptions>

/**
 * Turns any writable unstorage driver into a `StateStore` of one process, with all rules that apply to one process: versions,
 * conditions, mutations that take effect once, ordered changes. A record is stored beside each value under `<key>$state`. The
 * caller disposes of the given driver.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`, also for a read-only driver.
 *
 * @example
 * attachRealtime(httpServer, { state: reactiveDriver(fsDriver({ base: '.data' })) })
 */
export function reactiveDriver(driver: Driver, options: ReactiveDriverOptions = {}): ReactiveDriver {
  const { now, ...settings } = parseOptions('reactiveDriver', OPTIONS, options)
  const onError = safeErrorListener(settings.onError)
  return unstorageDriver('tutti', createLocalStore({ driver, settings: { ...settings, onError }, now: checkedClock(now) }))
}

/** Throws if the clock returns anything but a time: NaN would compare as false with every other time. */
const checkedClock = (now: () => unknown) => (): number => {
  const time = now()
  if (typeof time === 'number' && Number.isFinite(time)) return time
  ignoreRejection(time)
  throw new TypeError('`now` must return a number: milliseconds since 1970.')
}
