import { setTimeout as wait } from 'node:timers/promises'

/** Settles when the page is available. `check` runs before each attempt and may throw. */
export async function untilItAnswers(address: string, check: () => void = () => {}): Promise<void> {
  for (;;) {
    check()
    try {
      // A kept-alive connection would delay the end of the server.
      const { ok } = await fetch(address, { headers: { connection: 'close' } })
      if (ok) return
    } catch {
      // Not yet.
    }
    await wait(50)
  }
}
