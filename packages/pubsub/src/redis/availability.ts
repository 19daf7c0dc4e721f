import { RealtimeError } from '@tutti/protocol'
import { createDeferred, createListeners } from '@tutti/protocol/internal'
import type { PubSubStatus } from '../contract.ts'
import type { Report } from '../report.ts'

/** The availability of Redis over both connections together. Reports each outage and each gap once. */
export interface Availability {
  readonly status: PubSubStatus
  /** Settles when both connections are ready for the first time; rejects with `CLOSED` if it is closed before. */
  readonly ready: Promise<void>
  /** A connection became ready. `again`: it was ready before, so messages may have been missed (N6). */
  cameBack(again: boolean): void
  /** A connection was lost, or could not be established. */
  lost(cause: unknown): void
  /**
   * The application sends a command. Before the first `ready` no subscription is confirmed, so changes of the data that it
   * reads may be missed, and that `ready` is a gap (N6).
   */
  commandSent(): void
  onGap(listener: () => void): () => void
  onStatus(listener: (status: PubSubStatus) => void): () => void
  close(): void
}

/**
 * Starts in state `connecting`. `verify` settles when all subscriptions were requested; its result is whether all are
 * confirmed.
 */
export function createAvailability(report: Report, verify: () => Promise<boolean>): Availability {
  const onListenerError = (error: unknown): void => report(error, { stage: 'handler' })
  const gapListeners = createListeners<[]>(onListenerError)
  const statusListeners = createListeners<[PubSubStatus]>(onListenerError)
  const ready = createDeferred<void>()
  let status: PubSubStatus = 'connecting'
  let gap = false
  let wasReady = false
  let outageReported = false
  let lastEvent = 0

  const setStatus = (next: PubSubStatus): void => {
    if (status === next || status === 'closed') return
    status = next
    statusListeners.emit(next)
  }

  const settle = async (): Promise<void> => {
    lastEvent += 1
    const thisEvent = lastEvent
    const inForce = await verify()
    if (!inForce || thisEvent !== lastEvent || status === 'closed') return
    outageReported = false
    setStatus('ready')
    wasReady = true
    ready.resolve()
    if (!gap) return
    gap = false
    gapListeners.emit()
  }

  return {
    get status() {
      return status
    },
    ready: ready.promise,
    cameBack: (again) => {
      gap ||= again
      void settle()
    },
    commandSent: () => {
      gap ||= !wasReady
    },
    lost: (cause) => {
      lastEvent += 1
      // A loss before the first `ready` is a gap too: messages of that time are missed as well.
      gap = true
      setStatus('unavailable')
      if (outageReported || status === 'closed') return
      outageReported = true
      const reason = cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : ''
      report(new RealtimeError('UNAVAILABLE', { message: `Lost the connection to Redis${reason}. Reconnecting.`, cause }), {
        stage: 'connection',
      })
    },
    onGap: (listener) => gapListeners.add(listener),
    onStatus: (listener) => statusListeners.add(listener),
    close: () => {
      setStatus('closed')
      ready.reject(new RealtimeError('CLOSED'))
      gapListeners.clear()
      statusListeners.clear()
    },
  }
}
