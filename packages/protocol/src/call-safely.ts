/**
 * Calls code of the application, which may throw, reject or return anything. A failure goes to `onError` and nowhere else: not
 * to the caller, and not into an unhandled rejection, which would end a Node process (X10).
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

/** What the application threw, as an error. Anything can be thrown, even what throws itself when it is looked at. */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown
  } catch {
    // A revoked proxy.
  }
  return new Error('A value that is no error was thrown.', { cause: thrown })
}

/** Where a failure happened, e.g. `{ stage: 'listener' }`. */
type ErrorContext = object

/**
 * The default of every `onError`: `reportError` in browsers, where monitoring listens to it, and `console.error` elsewhere. Never
 * throws, also for errors that throw when they are shown.
 */
export function logError(error: unknown, context: ErrorContext): void {
  const global: object = globalThis
  const scope: { reportError?: (error: unknown) => void } = global
  try {
    if (scope.reportError) scope.reportError(error)
    // oxlint-disable-next-line no-console -- Nobody else would hear of it.
    else console.error(`Tutti (${Object.values(context).join(' ')}):`, error)
  } catch {
    // oxlint-disable-next-line no-console -- Likewise.
    console.error('Tutti: an error that cannot be shown.')
  }
}

/** An `onError` of the application that neither throws nor rejects: what it throws is logged, and so is the error itself. */
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
