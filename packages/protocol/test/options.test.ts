import { expect, test } from 'vitest'
import { callback, flag, oneOf, parseOptions, required, text, wholeNumber, withMethods, type OptionRows } from '../src/internal.ts'

interface Options {
  retries?: number | undefined
  secret?: string | undefined
  strategy?: 'now' | 'later' | undefined
  quiet?: boolean | undefined
  onError?: (() => void) | undefined
  store: { read: () => void }
}

const ROWS = {
  retries: wholeNumber(0, 3, 10),
  secret: text(undefined),
  strategy: oneOf<'now' | 'later'>(['now', 'later'], 'now'),
  quiet: flag(false),
  onError: callback(undefined),
  store: required(withMethods(['read'], undefined)),
} satisfies OptionRows<Options>

const store = { read: () => {} }
const parse = (options: object): unknown => parseOptions<Options, typeof ROWS>('makeIt', ROWS, options as Options)

const messageOf = (options: unknown): string => {
  try {
    parse(options as object)
    return 'accepted'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

test('[X9] an option that is absent or undefined has its default', () => {
  const defaults = { retries: 3, secret: undefined, strategy: 'now', quiet: false, onError: undefined, store }
  expect(parse({ store })).toEqual(defaults)
  expect(parse({ ...defaults, retries: undefined, strategy: undefined, quiet: undefined })).toEqual(defaults)
})

test('[X9] messages name the function, the option and its accepted values', () => {
  expect(messageOf({ store, retries: 11 })).toBe('makeIt: `retries` must be a whole number from 0 to 10, not 11.')
  expect(messageOf({ store, strategy: 'never' })).toBe('makeIt: `strategy` must be now or later.')
  expect(messageOf({ store, quiet: null })).toBe('makeIt: `quiet` must be true or false, not null.')
  expect(messageOf({ store, onError: {} })).toBe('makeIt: `onError` must be a function, not of type object.')
  expect(messageOf({})).toBe('makeIt: `store` must be an object with read(), not of type undefined.')
  expect(messageOf({ store, retires: 1 })).toBe('makeIt: unknown option `retires`.')
  expect(messageOf(null)).toBe('makeIt: options must be an object.')
})

test('[X9] the message for a former name of an option names the current one', () => {
  const parseRenamed = (options: object) => () =>
    parseOptions<Options, typeof ROWS>('makeIt', ROWS, options as Options, { tries: 'retries' })
  expect(parseRenamed({ store, tries: 1 })).toThrow('makeIt: unknown option `tries`, use `retries`.')
  expect(parseRenamed({ store, toString: 1 })).toThrow('makeIt: unknown option `toString`.')
  expect(parseRenamed({ store, retries: 1 })()).toMatchObject({ retries: 1 })
})

test('[X9] messages repeat no text, which may be a password', () => {
  expect(messageOf({ store, retries: 'hunter2', quiet: 'hunter2' })).not.toContain('hunter2')
})

test('[X9] inherited options count', () => {
  class Defaults {
    store = store
    get retries(): number {
      return 5
    }
  }
  expect(parse(new Defaults())).toMatchObject({ retries: 5 })
  expect(messageOf(Object.create({ store, retires: 1 }))).toBe('makeIt: unknown option `retires`.')
})
