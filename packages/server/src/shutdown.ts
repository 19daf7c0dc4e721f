import { RealtimeError } from '@tutti/protocol'
import type { ConnectionManager } from './connection/connection-manager.ts'
import type { ServerErrorListener } from './feature.ts'

/** The share of the time for pending replies; the rest is for closing the resources. */
const REPLIES_SHARE = 0.75

/** How much of it clients may take to go elsewhere. */
const GOING_SHARE = 0.5

/** A part of the server that is closed at the end. */
export interface ClosablePart {
  /** For messages. */
  readonly name: string
  close(): Promise<void> | undefined
}

/** What is drained, and within what time. */
export interface DrainOptions {
  connections: ConnectionManager
  reconnectAfterMs: number
  drainMs: number
  /** What is closed after the last reply, in this order: features, store, pubsub. */
  parts: readonly ClosablePart[]
  onError: ServerErrorListener
}

/**
 * Ends an instance (C5): no new connections, clients notified to reconnect elsewhere, pending replies sent, connections ended,
 * then one part after another. Settles within `drainMs`; parts that fail or do not end by then are reported and skipped.
 */
export async function drain({ connections, reconnectAfterMs, drainMs, parts, onError }: DrainOptions): Promise<void> {
  const end = performance.now() + drainMs
  const replied = performance.now() + drainMs * REPLIES_SHARE
  await connections.refuse(reconnectAfterMs, drainMs * GOING_SHARE)
  await connections.idle(replied - performance.now())
  connections.disconnect()
  for (const part of parts) {
    const late = `Shutdown exceeded drainMs (${drainMs} ms) while closing ${part.name}.`
    try {
      await within(end - performance.now(), () => part.close(), late)
    } catch (error) {
      onError(error, { stage: 'close' })
    }
  }
}

/** Begins the work in any case, and waits for it so long at most. */
async function within(ms: number, work: () => Promise<void> | undefined, message: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RealtimeError('UNAVAILABLE', { message })), Math.max(0, ms))
  })
  try {
    await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}
