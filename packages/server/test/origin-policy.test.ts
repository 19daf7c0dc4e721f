import type { IncomingHttpHeaders } from 'node:http'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseOrigins } from '../src/authentication/origin-list.ts'
import { createOriginPolicy, type OriginVerdict } from '../src/authentication/origin-policy.ts'

const policy = createOriginPolicy(parseOrigins(['https://friend.example', 'capacitor://localhost']), 0)
const judge = (headers: IncomingHttpHeaders, trustProxy = 0, secure = false): OriginVerdict =>
  createOriginPolicy(parseOrigins(['https://friend.example', 'capacitor://localhost']), trustProxy).judge({ headers, secure })

test.each<[IncomingHttpHeaders, OriginVerdict]>([
  [{ host: 'app.example' }, 'none'],
  [{ host: 'app.example', origin: 'https://app.example' }, 'own'],
  [{ host: 'app.example', origin: 'http://app.example' }, 'own'],
  [{ ':authority': 'app.example', origin: 'https://app.example' }, 'own'],
  [{ host: 'app.example:443', origin: 'https://app.example' }, 'own'],
  [{ host: 'app.example:80', origin: 'http://app.example' }, 'own'],
  [{ host: 'app.example:80', origin: 'https://app.example' }, 'foreign'],
  [{ host: 'App.Example', origin: 'https://app.example' }, 'own'],
  [{ host: 'app.example', origin: 'https://APP.example:443' }, 'own'],
  [{ host: 'app.example.', origin: 'https://app.example' }, 'own'],
  [{ host: 'app.example', origin: 'https://app.example.' }, 'own'],
  [{ host: 'bücher.example', origin: 'https://xn--bcher-kva.example' }, 'own'],
  [{ host: '[::1]:3000', origin: 'http://[0:0:0:0:0:0:0:1]:3000' }, 'own'],
  [{ host: 'app.example:8443', origin: 'https://app.example' }, 'foreign'],
  [{ host: 'app.example', origin: 'https://app.example.foe.example' }, 'foreign'],
  [{ host: 'app.example', origin: 'https://foe.example@app.example.foe' }, 'foreign'],
  [{ host: 'app.example', origin: 'null' }, 'foreign'],
  [{ host: 'app.example', origin: '' }, 'foreign'],
  [{ origin: 'https://app.example' }, 'foreign'],
  [{ host: 'localhost', origin: 'tauri://localhost' }, 'foreign'],
  [{ host: 'app.example', origin: 'https://friend.example' }, 'listed'],
  [{ host: 'app.example', origin: 'https://friend.example:443' }, 'listed'],
  [{ host: 'localhost', origin: 'capacitor://localhost' }, 'listed'],
  // Headers of a proxy that is not trusted.
  [{ host: 'inner', origin: 'https://app.example', 'x-forwarded-host': 'app.example' }, 'foreign'],
  [{ host: 'inner', origin: 'https://app.example', forwarded: 'host=app.example' }, 'foreign'],
  // The word of the browser, where it gives it.
  [{ host: 'app.example', origin: 'https://app.example', 'sec-fetch-site': 'same-origin' }, 'own'],
  [{ host: 'app.example', origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }, 'foreign'],
])('[X1] without a proxy, headers %j are of a page that is %s', (headers, verdict) => expect(judge(headers)).toBe(verdict))

const page = { host: 'inner:3000', origin: 'https://app.example' }

test.each<[IncomingHttpHeaders, OriginVerdict]>([
  [page, 'foreign'],
  [{ ...page, 'x-forwarded-host': 'app.example' }, 'own'],
  [{ ...page, 'x-forwarded-host': 'APP.example:443', 'x-forwarded-proto': 'https' }, 'own'],
  [{ ...page, 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'http' }, 'own'],
  [{ ...page, forwarded: 'for=192.0.2.1;host="app.example";proto=https' }, 'own'],
  [{ ...page, 'x-forwarded-host': 'app.example, foe.example' }, 'foreign'],
  [{ ...page, origin: 'https://foe.example', 'x-forwarded-host': 'foe.example, app.example' }, 'foreign'],
  [{ ...page, origin: 'https://foe.example', forwarded: 'host=foe.example, host=app.example' }, 'foreign'],
  // A proxy that passes Host on; one that leaves out the port.
  [{ host: 'app.example', origin: 'https://app.example' }, 'own'],
  [{ host: 'app.example', origin: 'https://app.example:8443' }, 'foreign'],
  [{ host: 'app.example', origin: 'https://app.example:8443', 'x-forwarded-port': '8443' }, 'own'],
  [{ ...page, origin: 'https://app.example:8443', 'x-forwarded-host': 'app.example', 'x-forwarded-port': '8443' }, 'own'],
  [{ host: 'app.example', origin: 'https://app.example', 'x-forwarded-port': '8080' }, 'own'],
  // A page without TLS is not the origin of a server with it.
  [{ ...page, origin: 'http://app.example', 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' }, 'foreign'],
  // A page that wrote the header itself, through a proxy that passes it on.
  [{ ...page, origin: 'https://foe.example', 'x-forwarded-host': 'foe.example', 'sec-fetch-site': 'cross-site' }, 'foreign'],
])('[X1] behind a proxy, headers %j are of a page that is %s', (headers, verdict) => expect(judge(headers, 1)).toBe(verdict))

test('[X1] on a connection with TLS, a page without TLS is not of the own origin', () => {
  expect(judge({ host: 'app.example', origin: 'https://app.example' }, 0, true)).toBe('own')
  expect(judge({ host: 'app.example', origin: 'http://app.example' }, 0, true)).toBe('foreign')
})

test('[X1] with `*` pages of foreign origins come in as any, those of the own as own', () => {
  const all = createOriginPolicy(parseOrigins('*'), 0)
  expect(all.judge({ headers: { host: 'app.example', origin: 'https://foe.example' }, secure: false })).toBe('any')
  expect(all.judge({ headers: { host: 'app.example', origin: 'https://app.example' }, secure: false })).toBe('own')
})

test('[X1] no text in headers makes the policy throw, or a foreign origin own', () => {
  const text = fc.string({ maxLength: 40 })
  fc.assert(
    fc.property(text, text, text, (origin, host, forwarded) => {
      const headers = { origin, host, 'x-forwarded-host': `${forwarded}, app.example`, forwarded: `${forwarded};host=app.example` }
      expect(['own', 'foreign']).toContain(judge(headers, 1))
      expect(judge({ ...headers, origin: 'https://foe.example', host: 'inner' }, 1)).toBe('foreign')
      expect(policy.compared({ headers: { origin: 'https://foe.example', host }, secure: false })?.host).toBe(host)
    }),
  )
})
