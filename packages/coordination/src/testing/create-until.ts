/** Waits for conditions, which are checked whenever something has arrived. */
export interface Until {
  /** Settles when the condition is true. */
  until(condition: () => boolean): Promise<void>
  /** Something has arrived. */
  check(): void
}

/** Makes one that waits for nothing. */
export function createUntil(): Until {
  const checks = new Set<() => void>()
  return {
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return
          checks.delete(check)
          resolve()
        }
        checks.add(check)
        check()
      }),
    check: () => {
      for (const check of checks) check()
    },
  }
}
