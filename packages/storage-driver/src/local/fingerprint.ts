/**
 * A short name for a text, to tell it from others without keeping it (FNV-1a in two 32-bit halves, and the length).
 * Not against somebody who looks for a collision: it only tells what a crash left behind.
 */
export function fingerprint(text: string | null): string {
  if (text === null) return 'none'
  let first = 0x811c9dc5
  let second = 0x01000193
  for (let place = 0; place < text.length; place++) {
    const unit = text.charCodeAt(place)
    first = Math.imul(first ^ unit, 0x01000193)
    second = Math.imul(second ^ unit, 0x85ebca6b) ^ (second >>> 13)
  }
  return `${text.length.toString(36)}-${(first >>> 0).toString(36)}-${(second >>> 0).toString(36)}`
}
