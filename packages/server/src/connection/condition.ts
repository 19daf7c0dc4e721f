/** Something that becomes true, and that can be waited for. */
export interface Condition {
  /** It may have become true. */
  check(): void
  /** Settles when it is true, at once where it is so already, or after so many milliseconds. */
  until(withinMs: number): Promise<void>
}

/** Makes a condition that is evaluated by each call of `check`. */
export function createCondition(isTrue: () => boolean): Condition {
  let onTrue = (): void => {}
  return {
    check: () => {
      if (isTrue()) onTrue()
    },
    until: async (withinMs) => {
      if (isTrue()) return
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, withinMs)
        onTrue = resolve
      })
      clearTimeout(timer)
    },
  }
}
