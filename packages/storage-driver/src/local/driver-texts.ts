import { RealtimeError } from '@tutti/protocol'
import type { Driver } from 'unstorage'
import { parseJson } from '../stored-text.ts'

/** Texts stored through any unstorage driver. Errors of the driver are passed on unchanged. */
export interface DriverTexts {
  get(key: string): Promise<string | null>
  /**
   * Like `get`; `expected` is the text that was stored last. A driver that returns parsed values cannot distinguish `"5"` from
   * `5`: if its value equals the parsed expected text, that text is returned.
   */
  getExpected(key: string, expected: string | null): Promise<string | null>
  /** Stores a text; null removes it. */
  put(key: string, text: string | null): Promise<void>
  /** Every key, internal ones included. */
  keys(): Promise<string[]>
}

/** Wraps a driver and calls its methods bound to it. Throws `INVALID_OPTIONS` for a read-only driver. */
export function driverTexts(driver: Driver): DriverTexts {
  if (driver.setItem === undefined || driver.removeItem === undefined) {
    throw new RealtimeError('INVALID_OPTIONS', { message: 'The driver is read-only: setItem and removeItem are required.' })
  }
  // Detected on the records, which are objects: a driver that returns an object parses.
  let parses = false
  const load = async (key: string): Promise<unknown> => {
    const stored: unknown = await driver.getItem(key, {})
    parses ||= typeof stored === 'object' && stored !== null && !(stored instanceof Error) && !(stored instanceof Uint8Array)
    return stored
  }
  return {
    get: async (key) => textOf(await load(key)),
    getExpected: async (key, expected) => {
      const stored = await load(key)
      if (!parses || expected === null || !isParsedFrom(stored, expected)) return textOf(stored)
      // A stored null is indistinguishable from an absent item.
      return stored !== null || (await driver.hasItem(key, {})) ? expected : null
    },
    put: async (key, text) => {
      if (text === null) await driver.removeItem?.(key, {})
      else await driver.setItem?.(key, text, {})
    },
    // Some drivers name files: `a/b`.
    keys: async () => (await driver.getKeys('', {})).map((key) => key.replace(/[/\\]/g, ':').replace(/^:/, '')),
  }
}

/** Whether parsing the text as JSON results in this value. */
function isParsedFrom(stored: unknown, text: string): boolean {
  try {
    return JSON.stringify(stored) === JSON.stringify(parseJson(text))
  } catch {
    return false
  }
}

function textOf(stored: unknown): string | null {
  if (stored === null || stored === undefined) return null
  if (typeof stored === 'string') return stored
  // unstorage's fs drivers return some errors instead of throwing them.
  if (stored instanceof Error) throw stored
  if (stored instanceof Uint8Array) return `base64:${Buffer.from(stored).toString('base64')}`
  return JSON.stringify(stored)
}
