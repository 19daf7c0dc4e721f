/**
 * The same promise, which is no unhandled rejection when its caller ignores it: the error is told elsewhere as well. Who
 * awaits it gets the error as ever.
 */
export function markHandled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** A promise, marked as handled,, that `run` settles by calling `done`: with nothing, or with the reason why it failed. */
export const settledBy = (run: (done: (reason?: Error) => void) => void): Promise<void> =>
  markHandled(new Promise((resolve, reject) => run((reason) => (reason ? reject(reason) : resolve()))))
