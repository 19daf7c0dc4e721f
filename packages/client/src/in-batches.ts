import { DEFAULT_LIMITS, type Limits } from '@tutti/protocol'

const encoder = new TextEncoder()

/** Room for the message around the list. */
const ENVELOPE_BYTES = 256

/** Cuts a list of names into as few messages as the server's limits allow; `toItem` is what stands for a name in one (C2). */
export function inBatches(names: string[], toItem: (name: string) => unknown, limits: Limits = DEFAULT_LIMITS): string[][] {
  const batches: string[][] = []
  let batch: string[] = []
  let bytes = 0
  for (const name of names) {
    const size = encoder.encode(JSON.stringify(toItem(name))).length + 1
    if (batch.length > 0 && (batch.length >= limits.maxKeysPerMessage || bytes + size > limits.maxPayloadBytes - ENVELOPE_BYTES)) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(name)
    bytes += size
  }
  return batch.length === 0 ? [] : [...batches, batch]
}
