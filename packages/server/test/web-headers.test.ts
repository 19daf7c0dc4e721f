import { expect, onTestFinished, test } from 'vitest'
import type { Credentials } from '../src/index.ts'
import { webHeadersOf } from '../src/authentication/web-headers.ts'
import { connectPlain, serve } from './serve.ts'

test('[X1] authenticate receives the headers as web-standard Headers too', async () => {
  const received: Credentials[] = []
  const server = await serve({
    authenticate: (credentials) => {
      received.push(credentials)
      return { id: credentials.webHeaders.get('cookie') ?? 'guest' }
    },
  })
  onTestFinished(() => server.close())
  await connectPlain(server.url, { extraHeaders: { cookie: 'session=s1', 'x-tenant': 'a' } })
  expect(await server.realtime.authenticate({ headers: { cookie: 'session=s2' } })).toEqual({ id: 'session=s2' })
  expect(received[0]?.webHeaders).toBeInstanceOf(Headers)
  expect(received[0]?.webHeaders.get('X-Tenant')).toBe('a')
  expect(received[0]?.webHeaders).toBe(received[0]?.webHeaders)
})

test('[X1] the cookie of a page for which cookies do not count is not among them', async () => {
  const received: Credentials[] = []
  const server = await serve({
    origins: '*',
    authenticate: (credentials) => {
      received.push(credentials)
      return { id: 'guest' }
    },
  })
  onTestFinished(() => server.close())
  await connectPlain(server.url, { extraHeaders: { cookie: 'session=s1', origin: 'https://foe.example' } })
  expect(received[0]?.webHeaders.get('cookie')).toBeNull()
})

test('[X1] repeated headers are joined, and pseudo-headers of HTTP/2 are left out', () => {
  const headers = webHeadersOf({ ':path': '/', 'x-list': ['a', 'b'], 'x-none': undefined, 'x-latin': 'caf\u00e9', host: 'app.example' })
  expect([...headers]).toEqual([
    ['host', 'app.example'],
    ['x-latin', 'café'],
    ['x-list', 'a, b'],
  ])
})
