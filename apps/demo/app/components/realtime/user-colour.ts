const HUES = 12

/** The hue of a user, in degrees: the same on every page, and one of few, so that two of them are easy to distinguish. */
export function hueOf(user: string): number {
  let hash = 7
  for (const character of user) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0
  return (hash % HUES) * (360 / HUES)
}
