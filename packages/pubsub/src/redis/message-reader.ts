import { Duplex } from 'node:stream'
import type { Redis } from 'ioredis'
import { endOfReply, hasBytes, isMessage, type BulkStrings } from './reply-bytes.ts'

/** Receives the text of a message. Returns whether there is a subscription of that name. */
export type MessageReceiver = (redisChannel: string, text: string) => boolean

/**
 * Reads messages directly from the connections of a client, without the steps of ioredis. All other bytes, and messages without
 * a subscription, go to ioredis in their order. ioredis has no option for that: where its listener is not the only one of the
 * stream, it reads everything, as by default. Not for a client of the application, which may listen to the same messages.
 *
 * Returns the function that ends it for later connections.
 */
export function readMessages(client: Redis, receive: MessageReceiver): () => void {
  // ioredis emits it before the first byte arrives.
  const onConnect = (): void => {
    const stream: unknown = client.stream
    if (!(stream instanceof Duplex)) return
    const [parse, other] = stream.rawListeners('data')
    if (!isListener(parse) || other !== undefined) return
    const forward = (bytes: Buffer): void => Reflect.apply(parse, stream, [bytes])
    stream.on('data', createMessageReader(receive, forward)).off('data', parse)
  }
  client.on('connect', onConnect)
  return () => void client.off('connect', onConnect)
}

const isListener = (value: unknown): value is (...args: unknown[]) => void => typeof value === 'function'

/** Reads one connection from its first byte, chunk by chunk. Exported for tests. */
export function createMessageReader(receive: MessageReceiver, forward: (bytes: Buffer) => void): (chunk: Buffer) => void {
  const bulks: BulkStrings = { lastStart: 0, lastEnd: 0, previousStart: 0, previousEnd: 0 }
  // The beginning of a reply that is not complete yet, and how long it is at least.
  let parts: Buffer[] = []
  let length = 0
  let required = 0
  // From the first reply of a type that is not known here.
  let isForwarding = false

  // Most messages are of the same channel as the last one.
  let channel = ''
  let channelBytes = Buffer.alloc(0)

  const channelOf = (bytes: Buffer): string => {
    const { previousStart, previousEnd } = bulks
    if (previousEnd - previousStart === channelBytes.length && hasBytes(bytes, previousStart, channelBytes)) return channel
    channelBytes = Buffer.from(bytes.subarray(previousStart, previousEnd))
    channel = channelBytes.toString()
    return channel
  }

  /** Returns the bytes that are not a complete reply. */
  const read = (bytes: Buffer): Buffer => {
    let forwarded = 0
    let at = 0
    while (at < bytes.length) {
      const end = endOfReply(bytes, at, bulks)
      if (Number.isNaN(end)) {
        isForwarding = true
        at = bytes.length
        break
      }
      if (end > bytes.length) {
        required = end - at
        break
      }
      if (isMessage(bytes, at)) {
        if (forwarded < at) forward(bytes.subarray(forwarded, at))
        forwarded = receive(channelOf(bytes), bytes.toString('utf8', bulks.lastStart, bulks.lastEnd)) ? end : at
      }
      at = end
    }
    if (forwarded < at) forward(bytes.subarray(forwarded, at))
    return bytes.subarray(at)
  }

  const keep = (part: Buffer): void => {
    if (part.length === 0) return
    parts.push(part)
    length += part.length
  }

  return (chunk) => {
    let from = 0
    while (from < chunk.length && !isForwarding) {
      if (length === 0) return keep(read(chunk.subarray(from)))
      // Only the end of that reply, so that few bytes are copied.
      const part = chunk.subarray(from, from + required - length)
      from += part.length
      keep(part)
      if (length < required) return
      const bytes = Buffer.concat(parts, length)
      parts = []
      length = 0
      keep(read(bytes))
    }
    if (from < chunk.length) forward(chunk.subarray(from))
  }
}
