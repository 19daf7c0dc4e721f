import type { IncomingMessage } from 'node:http'

/** A query without escapes, `+` and names like `__proto__`, as clients of Socket.IO send it. */
const PLAIN = /^[a-zA-Z0-9&=.-]*$/

/**
 * Puts the query of a request where Engine.IO reads one that was parsed before. Otherwise it makes a `URL` for each new
 * connection, which takes longer than all other parts of Engine.IO's handshake. Any unusual query is left to Engine.IO.
 */
export function parseHandshakeQuery(request: Pick<IncomingMessage, 'url'>): void {
  const { url = '' } = request
  const start = url.indexOf('?') + 1
  const text = start === 0 ? '' : url.slice(start)
  if (!url.startsWith('/')) return
  if (text !== last.text) {
    if (!PLAIN.test(text)) return
    last = { text, query: queryOf(text) }
  }
  // Each has its own: the application may modify it.
  Reflect.set(request, '_query', { ...last.query })
}

/** The last query: clients of one application mostly send the same. */
let last: { readonly text: string; readonly query: Record<string, string> } = { text: '', query: {} }

function queryOf(text: string): Record<string, string> {
  const query: Record<string, string> = {}
  for (const part of text.split('&')) {
    if (part === '') continue
    const [name = '', ...value] = part.split('=')
    query[name] = value.join('=')
  }
  return query
}
