import { byteLength, type Limits } from '@tutti/protocol'

/** Room for the message's name and Socket.IO's frame around a payload. */
const ENVELOPE_BYTES = 128

const bytesOf = (payload: unknown): number => byteLength(JSON.stringify(payload))

/** Tells whether a message with this payload is larger than the server takes (X5). */
export const isTooLarge = (payload: unknown, { maxPayloadBytes }: Limits): boolean => bytesOf(payload) > maxPayloadBytes - ENVELOPE_BYTES

/** Cuts a list of names into as few messages as the limits allow; `toItem` is what stands for a name in one (C2). */
export function inBatches(names: string[], toItem: (name: string) => unknown, limits: Limits): string[][] {
  const batches: string[][] = []
  let batch: string[] = []
  let room = 0
  for (const name of names) {
    const size = bytesOf(toItem(name)) + 1
    if (batch.length >= limits.maxKeysPerMessage || room < size) {
      batches.push((batch = []))
      room = limits.maxPayloadBytes - 2 * ENVELOPE_BYTES
    }
    batch.push(name)
    room -= size
  }
  return batches
}
