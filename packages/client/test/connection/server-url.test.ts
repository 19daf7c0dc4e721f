import { createRealtimeClient, socketTransport, type RealtimeClientOptions } from '@tutti/client'
import { expect, onTestFinished, test, vi } from 'vitest'
import { serverUrl } from '../../src/connection/server-url.ts'

const reasonOf = (options: object): string => {
  try {
    void createRealtimeClient(options).close()
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${String(error.code)} ${error.message}` : String(error)
  }
  return 'none'
}

const notAnOrigin = [
  '',
  '/',
  '/rt',
  'localhost',
  'localhost:3000',
  '127.0.0.1:3000',
  '//example.org',
  'ftp://example.org',
  'file:///a',
  'about:blank',
  'http://',
  'http://a b',
  'https://example.org/rt',
  'https://example.org/rt/',
  'https://example.org//',
  'wss://example.org/rt?a=b',
  new URL('https://example.org/rt'),
  null,
  3000,
  {},
]

test.each(notAnOrigin)('[X9] a url that cannot work is refused at once: %s', (url) => {
  const reason = reasonOf({ url })
  expect(reason).toMatch(/^INVALID_OPTIONS `url` .* option `path`/)
  expect(() => socketTransport({ url } as RealtimeClientOptions)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})

test.each(['', 'rt', 'http://example.org/rt', '/rt?a', '/rt#a', null, 5])('[X9] a path that cannot work is refused at once: %s', (path) => {
  expect(reasonOf({ url: 'http://127.0.0.1:1', path })).toMatch(/^INVALID_OPTIONS .*`path` must be a path that begins with/)
})

test('[X9] without a page `url` is required, and undefined counts as absent', () => {
  for (const options of [{}, { url: undefined }]) expect(reasonOf(options)).toMatch(/^INVALID_OPTIONS .*`url`/)
})

test.each([
  ['http://127.0.0.1:3000', 'http://127.0.0.1:3000/'],
  ['https://example.org/', 'https://example.org/'],
  ['ws://[::1]:3000', 'ws://[::1]:3000/'],
  ['WSS://Example.org', 'wss://example.org/'],
  ['https://example.org/?shard=1', 'https://example.org/?shard=1'],
  [new URL('http://localhost:3000'), 'http://localhost:3000/'],
])('[X9] %s is the origin of a server', (url, reached) => {
  expect(serverUrl(url)).toBe(reached)
})

test('[X9] without a url the origin of the page is used, if any', () => {
  onTestFinished(() => void vi.unstubAllGlobals())
  vi.stubGlobal('location', { origin: 'https://example.org' })
  expect(serverUrl()).toBe('https://example.org/')
  vi.stubGlobal('location', { origin: 'null' })
  expect(() => serverUrl()).toThrow('`url`')
})

test('[X9] a refused url opens no offline queue', () => {
  let opened = 0
  const offlineQueue = (): never => {
    opened++
    throw new Error('opened')
  }
  expect(reasonOf({ url: '/rt', offlineQueue })).toMatch(/^INVALID_OPTIONS /)
  expect(opened).toBe(0)
})

test('[X9] a transport of the caller needs no url', () => {
  expect(reasonOf({ transport: () => ({ request: () => {}, close: () => {} }) })).toBe('none')
})

test('[X9] a former option name is refused with the current name', () => {
  const former: object = { transport: () => ({ request: () => {}, close: () => {} }), keep: () => {} }
  expect(reasonOf(former)).toBe('INVALID_OPTIONS createRealtimeClient: unknown option `keep`, use `offlineQueue`.')
})
