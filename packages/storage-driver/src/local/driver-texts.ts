import { RealtimeError } from '@tutti/protocol'
import type { Driver } from 'unstorage'

/** Any unstorage driver as a place for texts. What the driver throws comes through as it is. */
export interface DriverTexts {
  get(key: string): Promise<string | null>
  /** Stores a text; null removes it. */
  put(key: string, text: string | null): Promise<void>
  /** Every key, internal ones included. */
  keys(): Promise<string[]>
}

/** Wraps a driver, whose methods are called bound to it; throws `INVALID_OPTIONS` for one that cannot write. */
export function driverTexts(driver: Driver): DriverTexts {
  if (driver.setItem === undefined || driver.removeItem === undefined) {
    throw new RealtimeError('INVALID_OPTIONS', { message: 'The driver must have setItem and removeItem: state is written.' })
  }
  return {
    get: async (key) => textOf(await driver.getItem(key, {})),
    put: async (key, text) => {
      if (text === null) await driver.removeItem?.(key, {})
      else await driver.setItem?.(key, text, {})
    },
    // Some drivers name files: `a/b`.
    keys: async () => (await driver.getKeys('', {})).map((key) => key.replace(/[/\\]/g, ':').replace(/^:/, '')),
  }
}

function textOf(stored: unknown): string | null {
  if (stored === null || stored === undefined) return null
  if (typeof stored === 'string') return stored
  // unstorage's fs drivers give back some errors instead of throwing them.
  if (stored instanceof Error) throw stored
  if (stored instanceof Uint8Array) return `base64:${Buffer.from(stored).toString('base64')}`
  return JSON.stringify(stored)
}
