import { createServer, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { Server } from 'socket.io'
import { expect, test } from 'vitest'
import { parseHandshakeQuery } from '../src/http/node/handshake-query.ts'

/** The query that Engine.IO has for a request, after `before` has seen it. */
function queryOf(url: string, before: (request: IncomingMessage) => void): unknown {
  const request = new IncomingMessage(new Socket())
  request.url = url
  before(request)
  const { engine } = new Server(createServer())
  Reflect.apply(Reflect.get(engine, 'prepare'), engine, [request])
  return Reflect.get(request, '_query')
}

const PATHS = [
  ...['', '?', '?EIO=4&transport=websocket', '?EIO=4&transport=polling&t=abc123&sid=a-B.9', '?sid=lv_VI97HAXpY6yYWAAAB&EIO=4'],
  ...['?a=1&a=2', '?a&b=&=c&&d', '?a=b=c', '?a=1?b=2', '?a=1#b=2', '?a+b=%20', '?__proto__=1', '?ä=ö', '?constructor=1', '?a=%ff'],
].map((query) => `/socket.io/${query}`)

test.each([...PATHS, 'http://host/socket.io/?a=1', '//host/?a=1', '?a=1'])('the query of %s is the one that Engine.IO parses', (url) => {
  expect(queryOf(url, parseHandshakeQuery)).toStrictEqual(queryOf(url, () => {}))
})

test('the query of usual clients is not parsed again', () => {
  const request = { url: '/socket.io/?EIO=4&transport=websocket' }
  parseHandshakeQuery(request)
  expect(request).toStrictEqual({ ...request, _query: { EIO: '4', transport: 'websocket' } })
})

test('requests with equal queries have an object of their own each', () => {
  const requests = ['a', 'a', 'b'].map((sid) => ({ url: `/socket.io/?EIO=4&sid=${sid}` }))
  for (const request of requests) parseHandshakeQuery(request)
  const [first, second, third] = requests.map((request) => Reflect.get(request, '_query'))
  expect([second, third]).toStrictEqual([
    { EIO: '4', sid: 'a' },
    { EIO: '4', sid: 'b' },
  ])
  expect(second).not.toBe(first)
})
