import { isBetweenFrames, type FrameReceiver } from './socket-internals.ts'
import { unmask } from './unmask.ts'

/** The first byte of a frame with a whole text message (RFC 6455, section 5.2): FIN, no extension, opcode 1. */
const FINAL_TEXT = 0x81

/** The bit of the second byte of a frame with a mask. Each frame of a client has one. */
const MASKED = 0x80

/** Instead of the length: it follows in 16 bits. */
const LENGTH_IN_16_BITS = 126

const MASK_LENGTH = 4

/** Takes the message at `bytes[start]` up to `end`, or returns false and leaves it to the WebSocket. */
export type TakeMessage = (bytes: Buffer, start: number, end: number) => boolean

/**
 * Takes messages out of the frames of a client before ws reads them: a stream, a state machine and two emitters for each frame
 * cost more than the message. Frames that are not a whole text message, and messages that are not taken, go to ws unchanged, as
 * does all that follows in the same chunk.
 */
export function readFrames(receiver: FrameReceiver, take: TakeMessage): void {
  const write = receiver.write.bind(receiver)
  receiver.write = (chunk) => {
    let at = 0
    while (at < chunk.length && isBetweenFrames(receiver)) {
      const end = takeFrame(chunk, at, receiver, take)
      if (end === at) break
      at = end
    }
    if (at === 0) return write(chunk)
    return at === chunk.length || write(chunk.subarray(at))
  }
}

/** The end of the frame at `at` if its message was taken, else `at`. */
function takeFrame(bytes: Buffer, at: number, { _maxPayload: maxPayload }: FrameReceiver, take: TakeMessage): number {
  const second = bytes[at + 1] ?? 0
  if (bytes[at] !== FINAL_TEXT || second < MASKED) return at
  let length = second - MASKED
  let start = at + 2 + MASK_LENGTH
  if (length === LENGTH_IN_16_BITS) {
    length = ((bytes[at + 2] ?? 0) << 8) + (bytes[at + 3] ?? 0)
    start += 2
  } else if (length > LENGTH_IN_16_BITS) return at
  const end = start + length
  if (end > bytes.length || (maxPayload > 0 && length > maxPayload)) return at
  unmask(bytes, start, end)
  if (take(bytes, start, end)) return end
  // Masking is its own inverse.
  unmask(bytes, start, end)
  return at
}
