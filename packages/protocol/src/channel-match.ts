/**
 * Every pattern that matches a channel, from the widest to the narrowest, the channel itself last:
 * `a:b:c` is matched by `*`, `a:*`, `a:b:*` and `a:b:c` (E3). What is subscribed is looked up in this list, so a
 * publish costs the depth of its channel, however many patterns exist.
 */
export function patternsOf(channel: string): string[] {
  const patterns = ['*']
  for (let end = channel.indexOf(':'); end !== -1; end = channel.indexOf(':', end + 1)) patterns.push(`${channel.slice(0, end)}:*`)
  patterns.push(channel)
  return patterns
}

/** Tells whether a subscribed channel or pattern covers a channel (E3). */
export function matchesChannel(pattern: string, channel: string): boolean {
  if (pattern === '*') return true
  return pattern.endsWith(':*') ? channel.startsWith(pattern.slice(0, -1)) : pattern === channel
}
