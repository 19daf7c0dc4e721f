/** Timers of Node run at once where they are to wait longer than this. */
const MAX_DELAY_MS = 2_147_483_647

/** Runs a function once at `time`, milliseconds since 1970, at any distance. Returns a cancel function. */
export function runAt(time: number, run: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const wait = (): void => {
    const delay = time - Date.now()
    timer = setTimeout(delay > MAX_DELAY_MS ? wait : run, Math.min(Math.max(delay, 0), MAX_DELAY_MS))
    timer.unref()
  }
  wait()
  return () => clearTimeout(timer)
}
