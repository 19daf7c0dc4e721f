import { RealtimeError } from '@tutti/protocol'
import type { Driver } from 'unstorage'
import { parseJson } from '../stored-text.ts'

/** Any unstorage driver as a place for texts. What the driver throws comes through as it is. */
export interface DriverTexts {
  get(key: string): Promise<string | null>
  /**
   * As `get`, where `expected` is the text that was stored last. A driver that returns parsed values cannot tell `"5"` from
   * `5`: where its value is that of the expected text, the text is that.
   */
  getExpected(key: string, expected: string | null): Promise<string | null>
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
  // Learnt from the records, which are objects: a driver that returns one parses.
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
      // A stored null looks like nothing.
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

/** Whether a parser of JSON would make that of the text. */
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
  // unstorage's fs drivers give back some errors instead of throwing them.
  if (stored instanceof Error) throw stored
  if (stored instanceof Uint8Array) return `base64:${Buffer.from(stored).toString('base64')}`
  return JSON.stringify(stored)
}
