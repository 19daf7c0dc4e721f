import { callback, parseOptions, type OptionRows, type RealtimeError } from '@tutti/protocol'

/** How a running watch or subscription behaves. */
export interface RunningOptions {
  /**
   * Runs once when it ends for another reason than its undo: the right was refused or taken away (`FORBIDDEN`), the sign-in
   * ended (`UNAUTHENTICATED`), the server closed (`CLOSED`), or it could not begin (`RATE_LIMITED`, `UNAVAILABLE`, …: begin
   * again where the error is `retryable`). Only what `realtime.as` made can end so. Default: `onError` with stage `watch`.
   */
  onEnd?: ((error: RealtimeError) => void) | undefined
}

const OPTIONS = { onEnd: callback(undefined) } satisfies OptionRows<RunningOptions>

/** Options of `watch` or `subscribe`. Throws `INVALID_OPTIONS`. */
export const parseRunningOptions = (owner: 'watch' | 'subscribe', options: RunningOptions = {}) => parseOptions(owner, OPTIONS, options)
