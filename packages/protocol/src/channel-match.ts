/**
 * Every pattern that matches a channel, from the widest to the narrowest, ending with the channel itself: `a:b:c` is matched by
 * `*`, `a:*`, `a:b:*` and `a:b:c`. Subscriptions are looked up by these names, so the cost of a publish depends on the
 * depth of its channel and not on the number of patterns.
 */
export function patternsOf(channel: string): string[] {
  const patterns = ['*']
  for (let end = channel.indexOf(':'); end !== -1; end = channel.indexOf(':', end + 1)) patterns.push(`${channel.slice(0, end)}:*`)
  patterns.push(channel)
  return patterns
}

/** Whether a subscribed channel or pattern covers a channel. */
export function matchesChannel(pattern: string, channel: string): boolean {
  if (pattern === '*') return true
  return pattern.endsWith(':*') ? channel.startsWith(pattern.slice(0, -1)) : pattern === channel
}
