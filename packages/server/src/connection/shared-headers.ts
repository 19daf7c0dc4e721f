/** Headers that many clients send with the same value. Those of one client alone, like `cookie`, are not here. */
const COMMON = [
  ...['accept', 'accept-encoding', 'accept-language', 'cache-control', 'connection', 'host', 'origin', 'pragma'],
  ...['sec-websocket-extensions', 'sec-websocket-version', 'upgrade', 'user-agent'],
]

/** Values that are remembered before all are forgotten. */
const MAX_VALUES = 1_000

/** Longer values are not remembered, so a client cannot fill the memory with them. */
const MAX_LENGTH = 512

const values = new Map<string, string>()

const sharedOf = (value: string): string => {
  const existing = values.get(value)
  if (existing !== undefined) return existing
  if (values.size >= MAX_VALUES) values.clear()
  values.set(value, value)
  return value
}

/** Replaces values of common headers by equal strings that all connections share. */
export function shareHeaders(headers: object): void {
  for (const name of COMMON) {
    const value: unknown = Reflect.get(headers, name)
    if (typeof value === 'string' && value.length <= MAX_LENGTH) Reflect.set(headers, name, sharedOf(value))
  }
}

/** Of the last handshake. */
let lastTime = ''

/** Replaces the texts of a handshake that many clients have in common, in the same way. */
export function shareHandshake(handshake: { time: string; url: string }): void {
  const { time, url } = handshake
  if (time !== lastTime) lastTime = time
  handshake.time = lastTime
  if (typeof url === 'string' && url.length <= MAX_LENGTH) handshake.url = sharedOf(url)
}
