import type { Limits } from '@tutti/protocol'
import { byteLength } from '@tutti/protocol/internal'

/** Room for the message's name and Socket.IO's frame around a payload (X5). */
export const ENVELOPE_BYTES = 128

/** Splits a list of names into as few messages as the limits allow; `toItem` creates the part of a message for a name (C2). */
export function inBatches(names: string[], toItem: (name: string) => unknown, limits: Limits): string[][] {
  const batches: string[][] = []
  let batch: string[] = []
  let room = 0
  for (const name of names) {
    const size = byteLength(JSON.stringify(toItem(name))) + 1
    if (batch.length >= limits.maxKeysPerMessage || room < size) {
      batches.push((batch = []))
      room = limits.maxPayloadBytes - 2 * ENVELOPE_BYTES
    }
    batch.push(name)
    room -= size
  }
  return batches
}
