import { RealtimeError } from '@tutti/protocol'

/** Whether a store is open, and which of its calls are in flight. */
export interface StoreLifecycle {
  /** How many calls have begun so far. */
  readonly calls: number
  /** Runs a call of the store, or rejects with `CLOSED`. */
  call<Result>(work: () => Promise<Result>): Promise<Result>
  /** Like `call`, for work that settles by callbacks: the promise settles in the microtask in which one of them is called. */
  settle<Result>(work: (resolve: (result: Result) => void, reject: (error: unknown) => void) => void): Promise<Result>
  /** Throws `CLOSED`. */
  assertOpen(): void
  /** Refuses further calls; settles when those in flight have ended. Idempotent. */
  close(): Promise<void>
}

/** Creates the lifecycle of an open store. */
export function createStoreLifecycle(): StoreLifecycle {
  let calls = 0
  let inFlight = 0
  let closing: Promise<void> | undefined
  let onIdle = (): void => {}
  const assertOpen = (): void => {
    if (closing !== undefined) throw new RealtimeError('CLOSED')
  }
  const settle: StoreLifecycle['settle'] = (work) =>
    new Promise((resolve, reject) => {
      assertOpen()
      calls += 1
      inFlight += 1
      let isSettled = false
      /** The first outcome counts: a read of many keys may fail once for each of them. */
      const ending =
        <Value>(end: (value: Value) => void) =>
        (value: Value): void => {
          if (isSettled) return
          isSettled = true
          inFlight -= 1
          if (inFlight === 0) onIdle()
          end(value)
        }
      const fail = ending<unknown>(reject)
      try {
        work(ending(resolve), fail)
      } catch (error) {
        fail(error)
      }
    })
  return {
    get calls() {
      return calls
    },
    assertOpen,
    settle,
    call: (work) => settle((resolve, reject) => void work().then(resolve, reject)),
    close: () =>
      (closing ??= new Promise((resolve) => {
        onIdle = resolve
        if (inFlight === 0) resolve()
      })),
  }
}
