import { endianness } from 'node:os'
import { isBetweenFrames, type FrameReceiver } from './socket-internals.ts'

/** The first byte of a frame with a whole text message (RFC 6455, section 5.2): FIN, no extension, opcode 1. */
const FINAL_TEXT = 0x81

/** The bit of the second byte of a frame with a mask. Each frame of a client has one. */
const MASKED = 0x80

/** Instead of the length: it follows in 16 bits. */
const LENGTH_IN_16_BITS = 126

const MASK_LENGTH = 4

/** Payloads from this length on are unmasked by words of four bytes. A view of the words costs as much as some hundred bytes. */
const LONG = 512

const IS_LITTLE_ENDIAN = endianness() === 'LE'

/** Takes the message at `bytes[start]` up to `end`, or returns false and leaves it to the WebSocket. */
export type TakeMessage = (bytes: Buffer, start: number, end: number) => boolean

/**
 * Takes messages out of the frames of a client before ws reads them: a stream, a state machine and two emitters for each frame
 * cost more than the message. Frames that are not a whole text message, and messages that are not taken, go to ws unchanged, as
 * does all that follows in the same chunk; `onLeft` is called after that.
 */
export function readFrames(receiver: FrameReceiver, take: TakeMessage, onLeft: () => void): void {
  const write = receiver.write.bind(receiver)
  receiver.write = (chunk) => {
    let at = 0
    while (at < chunk.length && isBetweenFrames(receiver)) {
      const end = takeFrame(chunk, at, receiver, take)
      if (end === at) break
      at = end
    }
    if (at === chunk.length) return true
    const isWritten = write(at === 0 ? chunk : chunk.subarray(at))
    onLeft()
    return isWritten
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

/** Applies the mask of a WebSocket frame, which is the four bytes before `start`, to its payload in place (RFC 6455, section 5.3). */
export function unmask(bytes: Buffer, start: number, end: number): void {
  let at = start
  if (end - start >= LONG) {
    // Words begin at multiples of four in memory.
    const first = start + (-(bytes.byteOffset + start) & 3)
    unmaskBytes(bytes, start, start, first)
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + first, (end - first) >> 2)
    const mask = maskOf(bytes, start, first)
    for (let index = 0; index < words.length; index += 1) words[index] = (words[index] ?? 0) ^ mask
    at = first + words.length * 4
  }
  unmaskBytes(bytes, start, at, end)
}

function unmaskBytes(bytes: Buffer, start: number, from: number, to: number): void {
  for (let at = from; at < to; at += 1) bytes[at] = (bytes[at] ?? 0) ^ maskByte(bytes, start, at)
}

/** The byte of the mask for the byte at `at`. */
const maskByte = (bytes: Buffer, start: number, at: number): number => bytes[start - 4 + ((at - start) & 3)] ?? 0

/** The mask for the word at `at`. */
function maskOf(bytes: Buffer, start: number, at: number): number {
  const byte = (index: number): number => maskByte(bytes, start, at + (IS_LITTLE_ENDIAN ? index : 3 - index))
  return byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)
}
