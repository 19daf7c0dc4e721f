/**
 * Runs the assertion until it passes, and returns its result. After `timeoutMs` (default 30,000, generous, for busy machines)
 * throws its last error. For effects that can only be observed from outside; await an event if there is one.
 */
export async function eventually<T>(assertion: () => T | Promise<T>, { timeoutMs = 30_000, everyMs = 10 } = {}): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    try {
      return await assertion()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }
}
