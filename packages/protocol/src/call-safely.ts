/**
 * Calls application code, which may throw, reject or return anything. A failure is passed only to `onError`: not to the caller,
 * and not as an unhandled rejection, which would end a Node process.
 */
export function callSafely(call: () => unknown, onError: (error: unknown) => void): void {
  try {
    const result = call()
    if (typeof result === 'object' && result !== null) void Promise.resolve(result).catch(onError)
  } catch (error) {
    onError(error)
  }
}

/** Handles the rejection of a value that may be a promise and is not used, so that it does not end the process. */
export const ignoreRejection = (value: unknown): void => void Promise.resolve(value).catch(() => {})

/** Converts any thrown value to an error. Even a value that throws when it is read is accepted. */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown
  } catch {
    // A revoked proxy.
  }
  return new Error('A value that is no error was thrown.', { cause: thrown })
}

/** Where a failure happened, for example `{ stage: 'listener' }`. */
type ErrorContext = object

/** The parts of a context that are known. */
const shown = (context: ErrorContext): string =>
  Object.values(context)
    .filter((part) => part !== undefined)
    .join(' ')

/**
 * The default of every `onError`: `reportError` in browsers, where monitoring tools receive it, and `console.error` elsewhere.
 * Never throws, not even for errors that throw when they are printed.
 */
export function logError(error: unknown, context: ErrorContext): void {
  const global: object = globalThis
  const scope: { reportError?: (error: unknown) => void } = global
  try {
    if (scope.reportError) scope.reportError(error)
    // oxlint-disable-next-line no-console -- The error would be lost otherwise.
    else console.error(`Tutti (${shown(context)}):`, error)
  } catch {
    // oxlint-disable-next-line no-console -- Likewise.
    console.error('Tutti: an error that cannot be shown.')
  }
}

/**
 * Wraps the application's `onError` so that it neither throws nor rejects. If it fails, its error and the original one are
 * logged.
 */
export const safeErrorListener =
  <Context extends ErrorContext>(onError: (error: unknown, context: Context) => unknown = logError) =>
  (error: unknown, context: Context): void =>
    callSafely(
      () => onError(error, context),
      (thrown) => {
        logError(error, context)
        logError(thrown, { stage: 'onError' })
      },
    )
