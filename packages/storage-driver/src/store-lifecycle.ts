import { RealtimeError } from '@tutti/protocol'

/** Whether a store is open, and which of its calls are in flight. */
export interface StoreLifecycle {
  /** Runs a call of the store, or rejects with `CLOSED`. */
  call<Result>(work: () => Promise<Result>): Promise<Result>
  /** Throws `CLOSED`. */
  assertOpen(): void
  /** Refuses further calls; settles when those in flight have ended. Idempotent. */
  close(): Promise<void>
}

/** Makes the lifecycle of a store that is open. */
export function createStoreLifecycle(): StoreLifecycle {
  let inFlight = 0
  let closing: Promise<void> | undefined
  let onIdle = (): void => {}
  const assertOpen = (): void => {
    if (closing !== undefined) throw new RealtimeError('CLOSED')
  }
  const leave = (): void => {
    inFlight -= 1
    if (inFlight === 0) onIdle()
  }
  return {
    assertOpen,
    call: async (work) => {
      assertOpen()
      inFlight += 1
      try {
        return await work()
      } finally {
        leave()
      }
    },
    close: () =>
      (closing ??= new Promise((resolve) => {
        onIdle = resolve
        if (inFlight === 0) resolve()
      })),
  }
}
