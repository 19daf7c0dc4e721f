/** The order of keys in listings, that of their UTF-8 bytes; `<` compares UTF-16 units, which differs beyond the basic plane. */
export function compareKeys(a: string, b: string): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const difference = rankOf(a.charCodeAt(index)) - rankOf(b.charCodeAt(index))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Surrogates encode characters beyond the basic plane, so they sort after all others. */
const rankOf = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

/** The prefixes that a key is below, from the widest to the narrowest: `a:b:c` is below `a:` and `a:b:`. */
export function prefixesOf(key: string): string[] {
  const prefixes = []
  for (let end = key.indexOf(':'); end !== -1; end = key.indexOf(':', end + 1)) prefixes.push(key.slice(0, end + 1))
  return prefixes
}
