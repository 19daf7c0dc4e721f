import { isJsonObject } from './json.ts'
import { RealtimeError } from './realtime-error.ts'

/** One option: its accepted values in words, the check, and the default. */
export type OptionRow<Default = unknown> = readonly [
  takes: string,
  accepts: (value: unknown) => boolean,
  fallback: Default,
  isRequired?: true,
]

/** A row for each option of `Options`. */
export type OptionRows<Options> = { readonly [Name in keyof Options]-?: OptionRow<Options[Name] | undefined> }

/** The options with their defaults. */
export type Settings<Options, Rows extends OptionRows<Options>> = {
  readonly [Name in keyof Options]-?: undefined extends Rows[Name][2] ? Options[Name] : Exclude<Options[Name], undefined>
}

/** The longest time that a timer can wait, milliseconds. */
const MAX_TIMER_MS = 2_147_483_647

/** A whole number. The default of `most` is the longest time of a timer. */
export const wholeNumber = <Default extends number | undefined>(
  least: number,
  fallback: Default,
  most = MAX_TIMER_MS,
): OptionRow<Default> => [
  `a whole number from ${least} to ${most}`,
  (value) => value === most || (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most),
  fallback,
]

/** `true` or `false`. */
export const flag = <Default extends boolean | undefined>(fallback: Default): OptionRow<Default> => [
  'true or false',
  (value) => typeof value === 'boolean',
  fallback,
]

/** Any string. */
export const text = <Default extends string | undefined>(fallback: Default): OptionRow<Default> => [
  'text',
  (value) => typeof value === 'string',
  fallback,
]

/** One of some strings. */
export const oneOf = <const Value extends string>(values: readonly Value[], fallback: NoInfer<Value>): OptionRow<Value> => [
  values.join(' or '),
  (value) => values.some((known) => known === value),
  fallback,
]

/** A function. */
export const callback = <Default>(fallback: Default): OptionRow<Default> => ['a function', (value) => typeof value === 'function', fallback]

/** An object with these methods. */
export const withMethods = <Default>(names: readonly string[], fallback: Default): OptionRow<Default> => [
  `an object with ${names.join('(), ')}()`,
  (value) => typeof value === 'object' && value !== null && names.every((name) => typeof Reflect.get(value, name) === 'function'),
  fallback,
]

/** A value of any kind, or one that its feature validates itself. */
export const anything: OptionRow<undefined> = ['', () => true, undefined]

/** An option that must be given. */
export const required = ([takes, accepts]: OptionRow<undefined>): OptionRow<undefined> => [takes, accepts, undefined, true]

/**
 * Options with their defaults; `undefined` means "not given". Throws `INVALID_OPTIONS` with the name of the option if
 * `owner` has no such option or the option does not accept the value. The message repeats no text, which may be a password. For
 * a former name of an option (`renamed`: former to current) the message gives the current one.
 */
export function parseOptions<Options extends object, const Rows extends OptionRows<Options>>(
  owner: string,
  rows: Rows & OptionRows<Options>,
  options: Options,
  renamed?: Readonly<Record<string, string>>,
): Settings<Options, Rows>
export function parseOptions(
  owner: string,
  rows: Readonly<Record<string, OptionRow>>,
  options: unknown,
  renamed: Readonly<Record<string, string>> = {},
): object {
  if (!isJsonObject(options)) throw invalid(`${owner}: options must be an object`)
  // Inherited properties are options too.
  for (const name in options)
    if (!Object.hasOwn(rows, name)) {
      throw invalid(`${owner}: unknown option \`${name}\`${Object.hasOwn(renamed, name) ? `, use \`${renamed[name]}\`` : ''}`)
    }
  return Object.fromEntries(
    Object.entries(rows).map(([name, [takes, accepts, fallback, isRequired]]) => {
      const value: unknown = Reflect.get(options, name)
      if (value === undefined && !isRequired) return [name, fallback]
      if (!accepts(value)) throw invalid(`${owner}: \`${name}\` must be ${takes}${shown(value)}`)
      return [name, value]
    }),
  )
}

/** A string may be secret, and its type is often the right one. */
const shown = (value: unknown): string => {
  if (typeof value === 'string') return ''
  return `, not ${typeof value === 'number' || typeof value === 'boolean' || value === null ? String(value) : `of type ${typeof value}`}`
}

const invalid = (problem: string): RealtimeError => new RealtimeError('INVALID_OPTIONS', { message: `${problem}.` })
