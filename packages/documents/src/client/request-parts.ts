import { toError } from '@tutti/protocol/internal'

/** The second part is in flight only while replies take less than this, milliseconds. */
const SLOW_REPLY_MS = 250

/** What the parts of one transfer need. */
export interface RequestPartsOptions {
  /** How many parts. */
  count: number
  /** Sends the request of one part. Settles with its reply. */
  requestPart: (index: number) => Promise<void>
  /** The present time, milliseconds. */
  now: () => number
}

/**
 * Requests the parts of a transfer in order: one at a time, and two while the link is fast, so that other messages of the connection wait
 * for 128 kB at most. Rejects with the first error, and sends no request after it.
 */
export function requestParts({ count, requestPart, now }: RequestPartsOptions): Promise<void> {
  let next = 0
  let inFlight = 0
  let allowed = 1
  return new Promise((resolve, reject) => {
    const send = async (): Promise<void> => {
      const startMs = now()
      inFlight += 1
      await requestPart(next++)
      inFlight -= 1
      allowed = now() - startMs < SLOW_REPLY_MS ? 2 : 1
      fill()
    }
    const fail = (thrown: unknown): void => {
      next = count
      reject(toError(thrown))
    }
    const fill = (): void => {
      while (inFlight < allowed && next < count) send().catch(fail)
      if (inFlight === 0) resolve()
    }
    fill()
  })
}
