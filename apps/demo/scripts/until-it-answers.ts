import { setTimeout as wait } from 'node:timers/promises'

/** Settles when the page is there. `check` runs before each try and may throw. */
export async function untilItAnswers(address: string, check: () => void = () => {}): Promise<void> {
  for (;;) {
    check()
    try {
      // A connection kept alive would hold the server up when it ends.
      const { ok } = await fetch(address, { headers: { connection: 'close' } })
      if (ok) return
    } catch {
      // Not yet.
    }
    await wait(50)
  }
}
