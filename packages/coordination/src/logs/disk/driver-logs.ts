import type { LogPosition, LogRecord, Logs } from '../log-contract.ts'
import { parseLogOptions, type LogOptions } from '../log-options.ts'
import { createLocalLogs, type LogStorage } from '../memory/local-logs.ts'

/** The part of an unstorage driver, or of a storage, that logs need. */
export interface LogDriver {
  getItem(key: string, options: object): unknown
  setItem?: ((key: string, value: string, options: object) => unknown) | undefined
  removeItem?: ((key: string, options: object) => unknown) | undefined
  getKeys(base: string, options: object): readonly string[] | Promise<readonly string[]>
}

const NO_OPTIONS = {}

/** The key of a log's head; those of its records follow it. No channel has a `$`. */
const headKey = (name: string): string => `$log:${name}:$head`
const recordBase = (name: string): string => `$log:${name}:$records`
const recordKey = (name: string, offset: number): string => `${recordBase(name)}:${String(offset).padStart(16, '0')}`

/**
 * Makes logs that an unstorage driver stores, for one process: append, read, trim and notifications, without groups. Each record
 * is an item; all records of a log that is in use are in memory too. A record counts once the driver has stored it.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * const logs = createDriverLogs(fsDriver({ base: '.data/logs' }), { pattern: 'jobs:*' })
 */
export const createDriverLogs = (driver: LogDriver, options: Omit<LogOptions, 'groups'>): Logs =>
  createLocalLogs({ settings: parseLogOptions('createDriverLogs', options), nowMs: Date.now, storage: storageOf(driver) })

function storageOf(driver: LogDriver): LogStorage {
  const read = async (key: string): Promise<unknown> => {
    const value: unknown = await driver.getItem(key, NO_OPTIONS)
    return typeof value === 'string' ? parseText(value) : value
  }
  return {
    load: async (name) => {
      // Drivers may return keys outside of the base as well.
      const keys = (await driver.getKeys(recordBase(name), NO_OPTIONS)).filter((key) => key.startsWith(`${recordBase(name)}:`))
      const items = await Promise.all(keys.toSorted().map(read))
      const records = items.filter(isRecord)
      const head = await read(headKey(name))
      const last = records.at(-1)
      if (!isPosition(head)) return undefined
      return { head: { epoch: head.epoch, offset: Math.max(head.offset, last?.offset ?? 0) }, records }
    },
    putHead: async (name, head) => void (await driver.setItem?.(headKey(name), JSON.stringify(head), NO_OPTIONS)),
    put: async (name, record) => void (await driver.setItem?.(recordKey(name, record.offset), JSON.stringify(record), NO_OPTIONS)),
    remove: async (name, offsets) => {
      for (const offset of offsets) await driver.removeItem?.(recordKey(name, offset), NO_OPTIONS)
    },
  }
}

/** A crash can leave an item that is not complete: its append was not acknowledged. */
function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isPosition = (value: unknown): value is LogPosition => hasNumbers(value, ['epoch', 'offset'])

const isRecord = (value: unknown): value is LogRecord =>
  hasNumbers(value, ['offset', 'previous']) && 'json' in value && typeof value.json === 'string'

const hasNumbers = (value: unknown, names: readonly string[]): value is object =>
  typeof value === 'object' && value !== null && names.every((name) => Number.isSafeInteger(Reflect.get(value, name)))
