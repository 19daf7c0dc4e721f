/**
 * The same promise, which is no unhandled rejection when its caller ignores it: the error is reported elsewhere as well. A
 * caller that awaits it receives the error.
 */
export function markHandled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** A promise, marked as handled, that `run` settles by calling `done`: with nothing, or with the reason why it failed. */
export const settledBy = (run: (done: (reason?: Error) => void) => void): Promise<void> =>
  markHandled(new Promise((resolve, reject) => run((reason) => (reason ? reject(reason) : resolve()))))
