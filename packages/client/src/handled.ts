/**
 * The same promise, which is no unhandled rejection when its caller ignores it: the error is told elsewhere as well. Who
 * awaits it gets the error as ever.
 */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
