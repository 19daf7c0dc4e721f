import { setTimeout as delay } from 'node:timers/promises'

/** Waits until nothing is open any more: true, or false when the number of open things did not fall for `quietMs`. */
export async function settled(countOpen: () => number, quietMs: number): Promise<boolean> {
  let least = Number.POSITIVE_INFINITY
  let since = performance.now()
  for (;;) {
    const open = countOpen()
    if (open <= 0) return true
    if (open < least) {
      least = open
      since = performance.now()
    }
    if (performance.now() - since > quietMs) return false
    await delay(5)
  }
}
