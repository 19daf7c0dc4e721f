import type { RealtimeError } from '@tutti/protocol'
import { callback, parseOptions, type OptionRows } from '@tutti/protocol/internal'

/** How a running watch or subscription behaves. */
export interface SubscriptionOptions {
  /**
   * Runs once when it ends for another reason than its unsubscribe function: the right was refused or revoked (`FORBIDDEN`),
   * the sign-in ended (`UNAUTHENTICATED`), the server closed (`CLOSED`), or it could not begin (`RATE_LIMITED`, `UNAVAILABLE`,
   * …: begin again if the error is `retryable`). Only subscriptions of `realtime.as` can end like this. Without it, the end goes to
   * `onError` with stage `watch`.
   */
  onEnd?: ((error: RealtimeError) => void) | undefined
}

const OPTIONS = { onEnd: callback(undefined) } satisfies OptionRows<SubscriptionOptions>

/** Options of `watch` or `subscribe`. Throws `INVALID_OPTIONS`. */
export const parseSubscriptionOptions = (owner: 'watch' | 'subscribe', options: SubscriptionOptions = {}) =>
  parseOptions(owner, OPTIONS, options)
