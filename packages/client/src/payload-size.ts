const encoder = new TextEncoder()

/** Tells whether the JSON of a payload takes more than `maxBytes` UTF-8 bytes. */
export function isLargerThan(payload: unknown, maxBytes: number): boolean {
  const text = JSON.stringify(payload)
  // A UTF-16 unit takes 1 to 3 bytes, so most are decided by their length.
  return text.length > maxBytes || (text.length * 3 > maxBytes && encoder.encode(text).length > maxBytes)
}
