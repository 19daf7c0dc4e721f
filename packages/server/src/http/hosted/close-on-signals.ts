import { isMainThread } from 'node:worker_threads'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Closes on SIGTERM and SIGINT, at once: a host that waits for open connections before it runs its own close hooks would wait
 * for ours. If there is no other listener for the signal, it then ends the process as the signal would have. Worker threads, in
 * which dev servers run the application, receive no signals. Returns an unsubscribe function.
 */
export function closeOnSignals(close: () => Promise<void>): () => void {
  if (!isMainThread) return () => {}
  const onSignal = (signal: NodeJS.Signals): void => {
    const raise = (): void => {
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
    }
    void close().then(raise, raise)
  }
  for (const signal of SIGNALS) process.once(signal, onSignal)
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}
