import { endianness } from 'node:os'

/** Payloads from this length on are unmasked by words of four bytes. A view of the words costs as much as some hundred bytes. */
const LONG = 512

const IS_LITTLE_ENDIAN = endianness() === 'LE'

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
