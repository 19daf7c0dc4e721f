import { RealtimeError } from '@tutti/protocol'

/** Lets calls in while open, and waits for them when it closes. */
export interface Gate {
  /** Does the work, or rejects with `CLOSED`. */
  call<Result>(work: () => Promise<Result>): Promise<Result>
  /** Throws `CLOSED`. */
  assertOpen(): void
  /** Lets nothing in any more; settles when what was let in has ended. Idempotent. */
  close(): Promise<void>
}

/** Makes an open gate. */
export function createGate(): Gate {
  let underWay = 0
  let closing: Promise<void> | undefined
  let onIdle = (): void => {}
  const assertOpen = (): void => {
    if (closing !== undefined) throw new RealtimeError('CLOSED')
  }
  const leave = (): void => {
    underWay -= 1
    if (underWay === 0) onIdle()
  }
  return {
    assertOpen,
    call: async (work) => {
      assertOpen()
      underWay += 1
      try {
        return await work()
      } finally {
        leave()
      }
    },
    close: () =>
      (closing ??= new Promise((resolve) => {
        onIdle = resolve
        if (underWay === 0) resolve()
      })),
  }
}
