/** The network state of the machine. */
export interface Network {
  /** False if the machine reports no network; the client then tries less often. */
  online(): boolean
  /**
   * Runs the listener when `online()` may have changed, and when connections may have been lost unnoticed: after sleep, or when
   * the page is shown again. Returns an unsubscribe function. The client listens while it is connected or tries to be.
   */
  onChange(listener: () => void): () => void
}

interface PageEvent {
  readonly type: string
}

type SetListener = (name: string, listener: (event: PageEvent) => void, options: { capture: boolean }) => void

interface BrowserScope {
  navigator?: { onLine?: boolean }
  document?: { visibilityState?: string }
  addEventListener?: SetListener
  removeEventListener?: SetListener
}

const global: object = globalThis
const scope: BrowserScope = global
const EVENTS = ['online', 'offline', 'pageshow', 'visibilitychange', 'resume']
// The events of the document do not all bubble to the window.
const CAPTURE = { capture: true }
const CHECK_MS = 10_000

/** The network as browsers and workers report it; everywhere else it counts as present. Sleep is noticed everywhere (C6). */
export const systemNetwork: Network = {
  online: () => scope.navigator?.onLine !== false,
  onChange: (listener) => {
    // A hidden page is checked when it is shown again: till then its timers are always late.
    const onEvent = ({ type }: PageEvent): void => {
      if (type === 'online' || scope.document?.visibilityState !== 'hidden') listener()
    }
    let last = Date.now()
    const timer: { unref?: () => void } & ReturnType<typeof setInterval> = setInterval(() => {
      if (Date.now() - last > 2 * CHECK_MS) onEvent({ type: 'sleep' })
      last = Date.now()
    }, CHECK_MS)
    // In browsers a timer is a number.
    timer.unref?.()
    for (const name of EVENTS) scope.addEventListener?.(name, onEvent, CAPTURE)
    return () => {
      clearInterval(timer)
      for (const name of EVENTS) scope.removeEventListener?.(name, onEvent, CAPTURE)
    }
  },
}
