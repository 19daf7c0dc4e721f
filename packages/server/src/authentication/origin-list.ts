import { RealtimeError } from '@tutti/protocol'

/** Origins whose pages may connect beside the server's own. */
export interface OriginList {
  /** Pages of every origin may connect. */
  readonly all: boolean
  /** Origins that are listed by name, in normal form. */
  readonly listed: ReadonlySet<string>
}

/** `https://app.example:8443`, `[::1]` and `_name` included; the rest of a URL is no part of an origin. */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d+)?$/i

const SCHEME = /^[a-z][a-z\d+.-]*:\/\//i

/**
 * The normal form of an origin, in which two spellings of one origin are equal: lower case, without the scheme's own port, the
 * host in ASCII and without a dot at its end. `undefined` for `null` and other text that names no origin.
 */
export function normalOrigin(text: string): string | undefined {
  if (!SCHEME.test(text) || !URL.canParse(text)) return undefined
  const { protocol, host } = new URL(text)
  const name = host.toLowerCase().replace(/\.(?=:|$)/, '')
  return HOST.test(name) ? `${protocol}//${name}` : undefined
}

/**
 * The option `origins`: a list, one origin, or `'*'`. Throws `INVALID_OPTIONS` for an entry that can never match the `Origin`
 * header of a page.
 */
export function parseOrigins(value: unknown): OriginList {
  if (value === undefined) return { all: false, listed: new Set() }
  if (value === '*') return { all: true, listed: new Set() }
  if (typeof value === 'string') return { all: false, listed: new Set([parseOrigin(value)]) }
  if (!Array.isArray(value)) {
    throw new RealtimeError('INVALID_OPTIONS', { message: "`origins` must be a list of origins, one origin, or '*' for all." })
  }
  return { all: false, listed: new Set(value.map(parseOrigin)) }
}

function parseOrigin(entry: unknown): string {
  if (typeof entry !== 'string') throw invalid(entry, 'it is not a string')
  if (entry.includes('*')) throw invalid(entry, "wildcards are not supported. List each origin, or set `origins: '*'`")
  if (entry === 'null') throw invalid(entry, "every page can take this origin with a sandboxed frame. Set `origins: '*'` and use tokens")
  if (!SCHEME.test(entry)) throw invalid(entry, `it has no scheme${suggestion(`https://${entry}`)}`)
  const [scheme = '', rest = ''] = entry.split('://', 2)
  if (/^wss?$/i.test(scheme))
    throw invalid(entry, `the origin of a page has the scheme http or https${suggestion(entry.replace(/^ws/i, 'http'))}`)
  if (rest.includes('@')) throw invalid(entry, `it has a user name${suggestion(`${scheme}://${rest.slice(rest.lastIndexOf('@') + 1)}`)}`)
  const origin = normalOrigin(entry)
  if (origin === undefined) throw invalid(entry, 'it has no valid host')
  if (/[/?#\\]/.test(rest)) throw invalid(entry, `an origin ends with the host or port, without a slash${suggestion(origin)}`)
  return origin
}

/** How an entry could be corrected, where that is clear. */
function suggestion(text: string): string {
  const origin = normalOrigin(text)
  return origin === undefined ? '' : `. Write '${origin}'`
}

function invalid(entry: unknown, reason: string): RealtimeError {
  // Without user name and password: messages end up in logs.
  const shown = typeof entry === 'string' ? `'${entry.replace(/\/\/[^/]*@/, '//')}'` : `an entry of type ${typeof entry}`
  return new RealtimeError('INVALID_OPTIONS', { message: `\`origins\`: ${shown} is not an origin: ${reason}.` })
}
