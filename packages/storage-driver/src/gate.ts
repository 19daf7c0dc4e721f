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
  const underWay = new Set<Promise<void>>()
  let open = true
  const assertOpen = (): void => {
    if (!open) throw new RealtimeError('CLOSED')
  }
  return {
    assertOpen,
    call: async (work) => {
      assertOpen()
      const result = work()
      const settled: Promise<void> = result.then(
        () => void underWay.delete(settled),
        () => void underWay.delete(settled),
      )
      underWay.add(settled)
      return result
    },
    close: async () => {
      open = false
      await Promise.all(underWay)
    },
  }
}
