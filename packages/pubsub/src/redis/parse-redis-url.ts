import { RealtimeError } from '@tutti/protocol'
import { MAX_SOCKET_PATH_BYTES, isDatabase, isHost, isPort, isSocketPath } from './redis-address.ts'

/** The parts of a URL of one server. */
export interface RedisUrl {
  /** With `port`, instead of `path`. */
  host?: string
  port?: number
  /** A Unix socket. */
  path?: string
  username?: string
  password?: string
  db?: number
  /** The scheme was `rediss:`. */
  tls?: true
}

const TCP = /^(rediss?):\/\/(?:([^/?#]*)@)?(\[[^\]/?#@]*\]|[^/?#@:[\]]*)(:[^/?#]*)?(\/[^?#]*)?$/i
const SOCKET = /^(?:redis\+)?unix:(?:\/\/(?:([^/?#]*)@)?)?(\/(?!\/)[^?#]*)(\?[^#]*)?$/i
const DATABASE = /^(?:0|[1-9]\d{0,9})$/
const DEFAULT_PORT = 6_379

/**
 * Parses `redis://user:password@host:port/db`, `rediss://…` and `unix:/path?db=N` (also `unix://user:password@/path` and
 * `redis+unix:`). ioredis would use parameters of the URL as settings, which would override those that N5 needs, and ignore
 * parts that it cannot parse. Throws `INVALID_OPTIONS` for anything else. The message names the part and does not quote the
 * URL: a password with an unencoded character may end up in any part.
 */
export function parseRedisUrl(url: unknown): RedisUrl {
  if (typeof url !== 'string') refuse('must be a string')
  if (/^(?:redis\+)?unix:/i.test(url)) return parseSocketUrl(url)
  if (!/^rediss?:\/\//i.test(url)) refuse('must begin with redis://, rediss:// or unix:')
  if (url.includes('#')) refuse('must not have a fragment. Write # as %23')
  if (url.includes('?')) refuse('must not have parameters: use the options of RealtimePubSub. Write ? as %3F')
  if (/\/[^@]*@/.test(url.slice(url.indexOf('//') + 2))) refuse('must not have a / before an @. Write / in a name or password as %2F')
  const [, scheme = '', credentials, hostPart = '', portPart, pathPart = '/'] =
    TCP.exec(url) ?? refuse('must be redis://user:password@host:port/db')
  return {
    host: hostOf(hostPart),
    port: portOf(portPart),
    ...credentialsOf(credentials),
    ...(pathPart === '/' ? {} : { db: databaseOf(pathPart.slice(1)) }),
    ...(scheme.toLowerCase() === 'rediss' ? { tls: true } : {}),
  }
}

function parseSocketUrl(url: string): RedisUrl {
  const [, credentials, pathPart = '', query] = SOCKET.exec(url) ?? refuse('must be unix:/path?db=N, with an absolute path and no host')
  const path = decode(pathPart, 'path')
  if (!isSocketPath(path)) refuse(`has an invalid path, which must be absolute and at most ${MAX_SOCKET_PATH_BYTES} bytes`)
  const [, db] = /^\?db=([^&]*)$/.exec(query ?? '') ?? []
  if (query !== undefined && db === undefined) refuse('must not have parameters other than db')
  return { path, ...credentialsOf(credentials), ...(db === undefined ? {} : { db: databaseOf(db) }) }
}

function hostOf(part: string): string {
  const host = part.startsWith('[') ? part.slice(1, -1).replace('%25', '%') : part
  // Only IPv6 addresses have brackets.
  if (isHost(host) && part.startsWith('[') === host.includes(':')) return host
  return refuse(part === '' ? 'has no host' : 'has an invalid host, which must be a name, an IPv4 address or an IPv6 address in brackets')
}

function portOf(part: string | undefined): number {
  if (part === undefined) return DEFAULT_PORT
  const port = /^:\d{1,5}$/.test(part) ? Number(part.slice(1)) : 0
  return isPort(port) ? port : refuse('has an invalid port, which must be 1 to 65535. Write / in a password as %2F')
}

function databaseOf(part: string): number {
  const db = DATABASE.test(part) ? Number(part) : -1
  return isDatabase(db) ? db : refuse('has an invalid database, which must be a whole number, as in redis://host/3')
}

function credentialsOf(part: string | undefined): Pick<RedisUrl, 'username' | 'password'> {
  if (part === undefined) return {}
  const colon = part.indexOf(':')
  const username = decode(colon < 0 ? part : part.slice(0, colon), 'username')
  const password = colon < 0 ? '' : decode(part.slice(colon + 1), 'password')
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) }
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // The original error is not the cause: no part of the URL may be shown.
    return refuse(`has an invalid ${part}: % must be followed by two hexadecimal digits of UTF-8. Write % as %25`)
  }
}

function refuse(flaw: string): never {
  throw new RealtimeError('INVALID_OPTIONS', { message: `Invalid \`url\`: it ${flaw}.` })
}
