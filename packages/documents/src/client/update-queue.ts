import type { ClientInternals } from '@tutti/client/internal'
import { createRetry } from '@tutti/client/internal'
import { RealtimeError } from '@tutti/protocol'
import { mayRepeat, toError } from '@tutti/protocol/internal'
import { mergeUpdates } from 'yjs'
import { request } from './request.ts'
import { PART_BYTES, sendTransfer, textOf } from './transfer.ts'

/** Edits within this time are one update, milliseconds. */
const TICK_MS = 20

/** Edits of this client, as an update of Yjs. */
export interface OwnUpdate {
  /** Unique among all pages of a browser. */
  readonly key: string
  readonly bytes: Uint8Array
}

/** The edits of this client to one document that the server has not acknowledged. */
export interface UpdateQueue {
  /** Waiting and sent ones. */
  readonly length: number
  /** All of them, the oldest first. */
  all(): readonly OwnUpdate[]
  add(bytes: Uint8Array): void
  /** Adds those of an earlier page, before all others. */
  restore(updates: readonly OwnUpdate[]): void
  /** All that the server lacks is these bytes, or nothing. */
  replace(bytes: Uint8Array | undefined): void
  /** The document is open: sends them. */
  start(): void
  /** The document is not open: they wait. */
  stop(): void
  /** Sends what waits where the document is open, and nothing more. */
  dispose(): void
}

/** What a queue needs. */
export interface UpdateQueueOptions {
  internals: ClientInternals
  document: string
  /** Distinguishes this page from others. */
  session: number
  onChange: () => void
  /** The server has refused an update, which stays in the queue. */
  onRefused: (error: RealtimeError) => void
}

/** Makes the queue of a document. One update is in flight at a time. */
export function createUpdateQueue({ internals, document, session, onChange, onRefused }: UpdateQueueOptions): UpdateQueue {
  const { connection, clock, onThrow } = internals
  const retry = createRetry(internals)
  let waiting: OwnUpdate[] = []
  let sent: readonly OwnUpdate[] = []
  let isOpen = false
  let isRefused = false
  let made = 0
  let transfers = 0
  let cancelTick: (() => void) | undefined

  const update = (bytes: Uint8Array): OwnUpdate => ({ key: `${session}-${(made += 1)}`, bytes })
  const send = async (bytes: Uint8Array): Promise<void> => {
    if (bytes.length <= PART_BYTES) return void (await request(connection, 'document:update', { document, update: textOf(bytes) }))
    transfers += 1
    const transfer = `update-${transfers}`
    await sendTransfer(internals, document, transfer, bytes)
    await request(connection, 'document:update', { document, transfer })
  }
  const flush = (): void => {
    cancelTick = undefined
    const [first, ...others] = waiting
    if (!isOpen || isRefused || sent.length > 0 || first === undefined) return
    const own = waiting
    sent = own
    waiting = []
    const bytes = others.length === 0 ? first.bytes : mergeUpdates(own.map((each) => each.bytes))
    send(bytes).then(
      () => acknowledged(own),
      (reason: unknown) => failed(own, toError(reason)),
    )
  }
  const acknowledged = (own: readonly OwnUpdate[]): void => {
    if (sent === own) sent = []
    retry.reset()
    onChange()
    flush()
  }
  const failed = (own: readonly OwnUpdate[], reason: Error): void => {
    // They were replaced meanwhile.
    if (sent !== own) return
    waiting.unshift(...own)
    sent = []
    if (!(reason instanceof RealtimeError)) return onThrow(reason)
    // An update that is applied twice changes nothing.
    if (mayRepeat(reason)) retry.plan(flush, reason.retryAfterMs)
    else {
      isRefused = true
      onRefused(reason)
    }
    onChange()
  }

  return {
    get length() {
      return waiting.length + (sent.length > 0 ? 1 : 0)
    },
    all: () => [...sent, ...waiting],
    add: (bytes) => {
      waiting.push(update(bytes))
      onChange()
      cancelTick ??= clock.after(TICK_MS, flush)
    },
    restore: (updates) => {
      const known = new Set([...sent, ...waiting].map(({ key }) => key))
      waiting.unshift(...updates.filter(({ key }) => !known.has(key)))
      onChange()
      flush()
    },
    replace: (bytes) => {
      sent = []
      waiting = bytes === undefined ? [] : [update(bytes)]
    },
    start: () => {
      isOpen = true
      isRefused = false
      flush()
    },
    stop: () => {
      isOpen = false
    },
    dispose: () => {
      cancelTick?.()
      retry.reset()
      flush()
      isOpen = false
    },
  }
}
