/** Whether the machine has a network at all, as far as it says so. */
export interface Network {
  online(): boolean
  /** Runs the listener when `online()` may have changed. Returns its undo. */
  onChange(listener: () => void): () => void
}

interface BrowserScope {
  navigator?: { onLine?: boolean; userAgent?: string }
  addEventListener?: (name: string, listener: () => void) => void
  removeEventListener?: (name: string, listener: () => void) => void
}

const EVENTS = ['online', 'offline']

/** What browsers and workers say; everywhere else the network counts as present. */
export const systemNetwork: Network = {
  online: () => (globalThis as BrowserScope).navigator?.onLine !== false,
  onChange: (listener) => {
    const scope: BrowserScope = globalThis
    for (const name of EVENTS) scope.addEventListener?.(name, listener)
    return () => {
      for (const name of EVENTS) scope.removeEventListener?.(name, listener)
    }
  },
}
